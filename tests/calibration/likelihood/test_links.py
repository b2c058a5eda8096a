"""No report of a real cohort is a contradiction, whether censored, rounded or cut; a wrong count is one."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from worlds import slow

from calibration.likelihood.targets import Targets, load_targets
from simulator.arrays import Booleans
from simulator.errors import InputError

NewCohort = Callable[..., Targets]
HEADER = "name,kind,population,state,attribute,month,count,n,value,standard_error,unit,place,use,note\n"
N = 60
MONTHS = (3, 6, 12)


class Patients:
    """A made-up cohort: who is treated, when they die, and how long they are followed, some of them hardly at all."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.treated, self.female = self.rng.random(N) < 0.5, self.rng.random(N) < 0.25
        death = self.rng.exponential(np.where(self.treated, 15.0, 5.0))
        self.followed = self.rng.exponential(self.rng.choice([8.0, 30.0, 1000.0]), N)
        self.died = np.where(death <= self.followed, death, np.inf)
        self.decimals = int(self.rng.integers(0, 2))
        self.is_cut = bool(self.rng.integers(0, 2))

    def populations(self) -> dict[str, Booleans]:
        everybody = np.ones(N, dtype=bool)
        return {"all": everybody, "treated": self.treated, "untreated": ~self.treated, "sex=female": self.female}

    def estimate(self, members: Booleans, month: float) -> tuple[float, float]:
        """Kaplan-Meier and Greenwood's standard error, death by death."""
        alive, total = 1.0, 0.0
        until = np.minimum(self.died, self.followed)[members]
        for time in np.sort(self.died[members & (self.died <= month)]):
            at_risk = (until >= time).sum()
            alive *= 1.0 - 1.0 / at_risk
            total += 1.0 / (at_risk * (at_risk - 1.0)) if at_risk > 1 else 0.0
        return alive, alive * np.sqrt(total)

    def printed(self, share: float) -> str:
        scale = 10.0**self.decimals
        number = np.floor(100.0 * share * scale + 1e-9) / scale if self.is_cut else 100.0 * share
        return f"{number:.{self.decimals}f}"

    def rows(self) -> Iterator[str]:
        for name, members in self.populations().items():
            n = int(members.sum())
            level = name if "=" in name else ""
            yield f"size_{name},patients,{'all' if level else name},,{level},,{n},{N},,,%"
            yield f"ever_{name},deaths,{name},,,,{np.isfinite(self.died[members]).sum()},{n},,,%"
            for month in MONTHS:
                dead = int((self.died[members] <= month).sum())
                yield f"dead_{name}_{month},deaths,{name},,,{month},{dead},{n},{self.printed(dead / n)},,%"
                yield f"alive_{name}_{month},survivors,{name},,,{month},{n - dead},{n},,,%"
                alive, error = self.estimate(members, month)
                value, printed_error = self.printed(alive), self.printed(error)
                printed_error = printed_error if float(printed_error) > 0 and 0 < float(value) < 100 else ""
                if printed_error or dead in (0, n):
                    yield f"curve_{name}_{month},survival,{name},,,{month},,{n},{value},{printed_error},%"


def load(new_cohort: NewCohort, rows: list[str]) -> Targets:
    folder = new_cohort(N, "it,survivors,all,,,6,3,60,").folder
    text = (folder / "cohort.toml").read_text(encoding="utf-8")
    (folder / "cohort.toml").write_text(text.partition("[follow_up]")[0], encoding="utf-8")
    lines = [f"{row},made up,validation,\n" for row in rows]
    (folder / "targets.csv").write_text(HEADER + "".join(lines), encoding="utf-8")
    return load_targets(folder)


@pytest.mark.parametrize("seed", [*range(5), *map(slow, range(5, 15))])
def test_figures_of_one_cohort_do_not_contradict_one_another(seed: int, new_cohort: NewCohort) -> None:
    rows = list(Patients(seed).rows())
    assert len(load(new_cohort, rows).cohort.targets) == len(rows)


@pytest.mark.parametrize(
    "name", ["dead_all_6", slow("dead_treated_12"), "alive_untreated_3", "ever_treated", slow("ever_all")]
)
@pytest.mark.parametrize("shift", [slow(-2), 2])
def test_a_count_that_is_two_off_contradicts_the_others(name: str, shift: int, new_cohort: NewCohort) -> None:
    rows = list(Patients(1).rows())
    place = next(i for i, row in enumerate(rows) if row.startswith(f"{name},"))
    cells = rows[place].split(",")
    cells[6], cells[8] = str(int(cells[6]) + shift), ""
    with pytest.raises(InputError, match=rf"targets.csv: line .*{place + 2}\b.* contradict one another"):
        load(new_cohort, [*rows[:place], ",".join(cells), *rows[place + 1 :]])
