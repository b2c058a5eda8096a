"""The checks of a declared pathway: no unknown name, no state out of reach, no way to get lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from simulator.errors import InputError, UnknownNameError
from simulator.pathway.outcome_months import kind_of
from simulator.pathway.pathway import Pathway, State, Transition, reachable
from simulator.pathway.references import REST, Reference, Selection, leaves_in, names_in


def check(pathway: Pathway) -> None:
    """Refuse a graph in which patients would be lost. Raises InputError naming the place."""
    for state in pathway.states.values():
        _check_state(pathway, state)
    for what, name, known, where in _mentioned(pathway):
        if name not in known:
            raise UnknownNameError(what, name, known, f"{pathway.where}: {where}")
    _check_clocks(pathway)
    _check_populations(pathway)
    _check_end_points(pathway)
    _check_added_deaths(pathway)
    for state in pathway.states.values():
        for transition in state.transitions:
            _check_references(pathway, transition, f"{pathway.where}: [states.{state.name}] {transition.name}")
    _check_capacity(pathway)
    _check_comparison(pathway)
    _check_graph(pathway)
    _check_marginal(pathway)


def _mentioned(pathway: Pathway) -> Iterator[tuple[str, str, Iterable[str], str]]:
    """Yield every name that a declaration mentions: of what, the name, those that are declared, and the place."""
    states = pathway.states
    places: dict[str, Iterable[str]] = {
        "start": [pathway.start],
        **{f"[clocks] {clock}": [name] for clock, name in pathway.clocks.items()},
    }
    places |= {f"[groups.{group.name}]": group.states for group in pathway.groups.values()}
    places |= {f"[counts.{count.name}]": count.entries + count.months for count in pathway.counts.values()}
    for end_point in pathway.end_points.values():
        places |= {f"[end_points.{end_point.name}] causes.{cause}": of for cause, of in end_point.causes.items()}
    for state in states.values():
        places |= {f"[states.{state.name}] {way.name}: to": [way.to] for way in state.transitions}
        if state.holds is not None:
            yield "resource", state.holds, pathway.resources, f"[states.{state.name}] holds"
    if (marginal := pathway.marginal) is not None:
        places |= {f"[marginal] {key}": [getattr(marginal, key)] for key in ("decision", "otherwise", "no_benefit")}
    for place, names in places.items():
        yield from (("state", name, states, place) for name in names)
    if (compared := pathway.comparison) is not None:
        yield "group", compared.entered, pathway.groups, "[guarantee_time] entered"
        yield "group", compared.others, pathway.groups, "[guarantee_time] others"


def _check_state(pathway: Pathway, state: State) -> None:
    where = f"{pathway.where}: [states.{state.name}]"
    for name in (state.name, *(transition.name for transition in state.transitions)):
        if "/" in name:
            # An address of random numbers is state/exit: two of them must never read the same.
            raise InputError("a name with a slash", where=where, got=name, allowed="a name without '/'")
    if state.is_absorbing:
        if state.transitions:
            raise InputError(f"an absorbing state of kind '{state.kind}' has transitions or branches", where=where)
        return
    if not state.transitions:
        wanted = "branches" if state.is_choice else "transitions"
        raise InputError(f"a {state.kind} needs one or more {wanted}", where=where)
    seen: set[str] = set()
    for transition in state.transitions:
        if transition.name in seen:
            raise InputError(
                f"two exits have the name '{transition.name}'", where=where, allowed="a different `name` for each"
            )
        seen.add(transition.name)
    given_shares = [transition.probability is not None for transition in state.transitions]
    if state.kind == "sojourn" and any(given_shares) and not all(given_shares):
        raise InputError(
            "only some transitions have a probability",
            where=where,
            allowed="all (a destination and its time) or none (competing latent times)",
        )


def _check_clocks(pathway: Pathway) -> None:
    later = [clock for clock in list(pathway.clocks)[1:] if pathway.clocks[clock] != pathway.start]
    if later or len(pathway.clocks) > 2:
        raise InputError(
            "the second clock does not start at entry",
            where=f"{pathway.where}: [clocks]",
            got=dict(pathway.clocks),
            allowed=f"the default clock first, and one more that starts at '{pathway.start}'",
        )


def _check_populations(pathway: Pathway) -> None:
    """Refuse a group with the name of other patients."""
    levels = [f"{name}={level}" for name, attribute in pathway.attributes.items() for level in attribute.levels]
    for name in pathway.groups:
        if name in ("all", *levels):
            raise InputError(
                "this name belongs to another population",
                where=f"{pathway.where}: [groups.{name}]",
                got=name,
                allowed="another name (all is every patient, attribute=level the patients of one level)",
            )


def _check_end_points(pathway: Pathway) -> None:
    """Refuse an event that is nothing, that has two causes, or whose outcomes have the name of another outcome."""
    taken = set(pathway.counts)
    for end_point in pathway.end_points.values():
        where = f"{pathway.where}: [end_points.{end_point.name}]"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", end_point.name):
            # A figure's file has this name, too.
            allowed = "up to 60 letters from A to z, digits, '_' and '-'; any words as its label"
            raise InputError("no name of an end point", where=where, got=end_point.name, allowed=allowed)
        same = [name for name in pathway.end_points if name.lower() == end_point.name.lower()]
        if len(same) > 1:
            # Windows and macOS keep both in one file.
            allowed = "names that differ in more than capitals; the label may be any words"
            raise InputError(
                "two end points have names that files do not distinguish", where=where, got=same, allowed=allowed
            )
        empty = [cause for cause, states in end_point.causes.items() if not states]
        if empty or not end_point.causes:
            what = f"no state has the cause '{empty[0]}'" if empty else "no cause"
            raise InputError(what, where=f"{where} causes", allowed="one or more states a cause")
        causes: dict[str, str] = {}
        for cause, states in end_point.causes.items():
            for name in states:
                if name in causes:
                    what = f"state '{name}' has two causes"
                    raise InputError(what, where=f"{where} causes", got=[causes[name], cause], allowed="one")
                causes[name] = cause
        for outcome, _ in end_point.outcomes(pathway.months):
            if outcome in taken or kind_of(outcome) is not None:
                raise InputError(
                    f"its outcome '{outcome}' has the name of another outcome",
                    where=where,
                    got=end_point.name,
                    allowed="names of end points, causes and counts that keep their outcomes apart",
                )
            taken.add(outcome)


def _check_added_deaths(pathway: Pathway) -> None:
    """Refuse an event of every death that is taken from the extended pathway and lacks a death of this one."""
    before = pathway.extended
    for name, end_point in pathway.end_points.items():
        inherited = before.end_points.get(name) if before is not None else None
        if before is None or inherited is None or inherited.causes != end_point.causes:
            continue
        added = [death for death in pathway.deaths if death not in end_point.states]
        if added and set(before.deaths) <= set(end_point.states):
            raise InputError(
                f"{end_point.label} would include the dead: in {before.name} every death is one of its causes",
                where=f"{pathway.where}: [end_points.{name}]",
                got=f"without {', '.join(added)}",
                allowed=f"[end_points.{name}] declared in this file, with every death among its causes",
            )


def _check_references(pathway: Pathway, transition: Transition, where: str) -> None:
    for attribute, levels in transition.eligible.items():
        _check_levels(pathway, attribute, levels, f"{where}: eligible", complete=False)
    for reference in transition.references:
        rest = [REST] if reference is transition.probability else []
        for name in names_in(reference):
            if name not in pathway.parameters:
                raise UnknownNameError("parameter", name, [*pathway.parameters, *rest], where)
        check_selections(pathway, reference, where)
    parts = [level for levels in transition.eligible.values() for level in levels.values()]
    if REST in (*parts, *(transition.time.arguments.values() if transition.time else ())):
        raise _rest_alone(where)


def _rest_alone(where: str) -> InputError:
    return InputError(
        '"rest" is not a number',
        where=where,
        got=REST,
        allowed='probability = "rest" for one branch, open to every patient',
    )


def check_selections(pathway: Pathway, reference: Reference, where: str) -> None:
    """Refuse a choice by an attribute, or by a level, that is not declared. Raises InputError naming `where`."""
    if isinstance(reference, tuple):
        parts = reference
    elif isinstance(reference, Selection):
        _check_levels(pathway, reference.by, reference.levels, where, complete=True)
        parts = tuple(reference.levels.values())
    else:
        return
    if REST in parts:
        raise _rest_alone(where)
    for part in parts:
        check_selections(pathway, part, where)


def _check_levels(pathway: Pathway, attribute: str, levels: Iterable[str], where: str, *, complete: bool) -> None:
    if attribute not in pathway.attributes:
        raise UnknownNameError("attribute", attribute, pathway.attributes, where)
    declared = pathway.attributes[attribute].levels
    for level in levels:
        if level not in declared:
            raise UnknownNameError(f"level of {attribute}", level, declared, where)
    missing = [level for level in declared if level not in levels]
    if complete and missing:
        allowed = f"a value for every level: {', '.join(declared)}"
        raise InputError(f"no entry for level '{missing[0]}' of {attribute}", where=where, allowed=allowed)


def _check_graph(pathway: Pathway) -> None:
    """Refuse a state that nobody reaches or gets out of, and choices that turn for ever within one instant."""
    states = pathway.states
    reached = reachable([pathway.start], pathway.onward)
    unreached = [name for name in states if name not in reached]
    if unreached:
        raise InputError(
            f"no patient can reach state '{unreached[0]}' from start '{pathway.start}'",
            where=f"{pathway.where}: [states.{unreached[0]}]",
        )
    stuck = [name for name in states if not any(states[end].is_absorbing for end in reachable([name], pathway.onward))]
    if stuck:
        raise InputError(
            f"no path leads from state '{stuck[0]}' to an absorbing state",
            where=f"{pathway.where}: [states.{stuck[0]}]",
            allowed="a path to a state of kind 'death' or 'end'",
        )
    choices = {
        name: [to for to in pathway.onward(name) if states[to].is_choice]
        for name, state in states.items()
        if state.is_choice
    }
    for name, onward in choices.items():
        if name in reachable(onward, choices.__getitem__):
            raise InputError(
                f"choice '{name}' leads back to itself and no time passes",
                where=f"{pathway.where}: [states.{name}]",
                allowed="a sojourn on every cycle",
            )


def _check_capacity(pathway: Pathway) -> None:
    """Who waits for a resource must keep running the other risks, so the state before competes."""
    holders = {name for name, state in pathway.states.items() if state.holds is not None}
    for name in holders:
        if pathway.states[name].kind != "sojourn":
            raise InputError(
                f"only a sojourn can hold a resource, and '{name}' is of kind '{pathway.states[name].kind}'",
                where=f"{pathway.where}: [states.{name}] holds",
            )
    for name, state in pathway.states.items():
        entered = sorted(holders & {transition.to for transition in state.transitions})
        if entered and not state.competes:
            raise InputError(
                f"'{entered[0]}' holds a resource, so patients may have to wait in '{name}', where no time passes"
                if state.is_choice
                else f"'{entered[0]}' holds a resource, so the risks in '{name}' must continue while patients wait",
                where=f"{pathway.where}: [states.{name}]",
                allowed="a sojourn declared as competing latent times before a state that holds a resource",
            )


def _check_marginal(pathway: Pathway) -> None:
    marginal = pathway.marginal
    if marginal is None:
        return
    where = f"{pathway.where}: [marginal]"
    states = pathway.states
    decision, otherwise = states[marginal.decision], states[marginal.otherwise]
    branches = [transition.name for transition in decision.transitions]
    if decision.kind != "decision":
        raise InputError("additional patients need a decision", where=f"{where} decision", got=decision.kind)
    if marginal.branch not in branches:
        raise UnknownNameError("branch", marginal.branch, branches, f"{where} branch")
    if len(branches) != 2 or [marginal.otherwise] != [
        transition.to for transition in decision.transitions if transition.name != marginal.branch
    ]:
        raise InputError(
            f"'{decision.name}' must be between two branches, one of them to '{otherwise.name}'", where=where
        )
    if not all(isinstance(share, str) for way in decision.transitions for share in leaves_in(way.probability)):
        allowed = "a parameter, which [marginal] reference sets"
        raise InputError(
            "the share treated is a number", where=f"{pathway.where}: [states.{decision.name}]", allowed=allowed
        )
    if otherwise.kind != "sojourn" or any(states[to].kind != "death" for to in pathway.onward(otherwise.name)):
        raise InputError(f"'{otherwise.name}' must be a sojourn that leads to death only", where=f"{where} otherwise")
    if states[marginal.no_benefit].kind != "sojourn":
        raise InputError(f"'{marginal.no_benefit}' must be a sojourn", where=f"{where} no_benefit")
    _check_harm(pathway, where)

    def without_benefit(name: str) -> Iterable[str]:
        onward = [to for to in pathway.onward(name) if not states[to].is_absorbing]
        return () if marginal.no_benefit in (name, *onward) else onward

    for name in reachable([decision.transition(marginal.branch).to], without_benefit):
        if states[name].is_choice and all(states[to].is_absorbing for to in pathway.onward(name)):
            raise InputError(
                f"'{name}' leads only to an end, but patients treated without benefit must be able to survive",
                where=f"{pathway.where}: [states.{name}]",
                allowed=f"a branch to '{marginal.no_benefit}' or to another sojourn",
            )
    if decision.name in pathway.states_before_clock:
        raise InputError(
            f"patients can come to '{decision.name}' before the default clock starts",
            where=f"{where} decision",
            allowed=f"a decision at or after '{pathway.clock_state}'",
        )


def _check_harm(pathway: Pathway, where: str) -> None:
    """A death of treatment is none of the untreated, and ends a sojourn of the treated before their response."""
    marginal, states = pathway.marginal, pathway.states
    assert marginal is not None
    way = reachable(
        [states[marginal.decision].transition(marginal.branch).to],
        lambda name: () if name == marginal.no_benefit else pathway.onward(name),
    )
    sojourns = [states[name] for name in way - {marginal.no_benefit} if states[name].kind == "sojourn"]
    for name in marginal.harm:
        if name not in states:
            raise UnknownNameError("state", name, [*pathway.deaths], f"{where} harm")
        if name in pathway.onward(marginal.otherwise) or name not in pathway.deaths:
            raise InputError(
                f"'{name}' is no death of treatment alone",
                where=f"{where} harm",
                got=f"a death to which '{marginal.otherwise}' leads" if name in pathway.deaths else states[name].kind,
                allowed="a state of kind 'death' for those who die of treatment, and of nothing else",
            )
        if not any(name in pathway.onward(state.name) for state in sojourns):
            raise InputError(
                f"no sojourn of the treated leads to '{name}' before their response",
                where=f"{where} harm",
                allowed=f"a transition to '{name}' in a sojourn between '{marginal.decision}' and "
                f"'{marginal.no_benefit}'",
            )


def _check_comparison(pathway: Pathway) -> None:
    """Refuse a comparison of groups that are not there, or that do not answer each other."""
    compared, where = pathway.comparison, f"{pathway.where}: [guarantee_time]"
    if compared is None:
        return
    entered, others = pathway.groups[compared.entered], pathway.groups[compared.others]
    if entered.not_entered or others.not_entered != entered.entered:
        raise InputError(
            f"'{others.name}' is not declared by not having entered what '{entered.name}' entered",
            where=where,
            got=f"not_entered = {list(others.not_entered)}",
            allowed=f"not_entered = {list(entered.entered)} in [groups.{others.name}]",
        )
    for month in compared.landmarks:
        if not 0.0 < month < pathway.months.answer:
            allowed = f"months above 0, below answer_month ({pathway.months.answer:g})"
            raise InputError("no landmark", where=f"{where} landmarks", got=month, allowed=allowed)
