"""The order in which a pathway's states are read: from the top of its diagram down, branches as they are declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def in_order(start: str, onward: Callable[[str], Sequence[str]]) -> list[str]:
    """Return every state that can be reached, after all those that lead to it but by a way back.

    States are sorted by the longest way to them, a state of more steps later; else by reverse postorder from the start.
    """
    done: list[str] = []
    seen = {start}
    work = [(start, reversed(onward(start)))]
    while work:
        state, targets = work[-1]
        target = next(targets, None)
        if target is None:
            done.append(state)
            work.pop()
        elif target not in seen:
            seen.add(target)
            work.append((target, reversed(onward(target))))
    done.reverse()
    place = {state: at for at, state in enumerate(done)}
    steps = dict.fromkeys(done, 0)
    for state in done:
        for target in onward(state):
            if place[target] > place[state]:
                steps[target] = max(steps[target], steps[state] + 1)
    return sorted(done, key=steps.__getitem__)
