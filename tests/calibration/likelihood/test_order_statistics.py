"""Densities of reported medians and ranges, against closed forms, enumeration, quadrature and simulation."""

from collections.abc import Callable, Sequence
from itertools import pairwise, permutations, product

import numpy as np
import pytest
from scipy import integrate, special, stats
from worlds import slow

from calibration.likelihood.order_statistics import ReportedTimes, TimedGroup
from simulator.arrays import Floats
from simulator.errors import InputError

Family = stats.rv_continuous

EARLY = stats.weibull_min(1.6, scale=6.0)
LATE = stats.weibull_min(0.9, scale=14.0)
MIDDLE = stats.lognorm(0.7, scale=9.0)


def log_density(reported: ReportedTimes, *families: Family) -> float:
    """Return the log density of one parameter row; families are in the order of the groups."""
    names = [group.name for group in reported.groups]
    cdf = {name: as_rows(cdf_of(family)) for name, family in zip(names, families, strict=True)}
    pdf = {name: as_rows(pdf_of(family)) for name, family in zip(names, families, strict=True)}
    return float(reported.log_density(cdf, pdf)[0])


# A density asks for few times in many calls, of which scipy's families take most: so in closed form, as below.
CDF: dict[str, Callable[..., Floats]] = {
    "weibull_min": lambda times, shape: -np.expm1(-(times**shape)),
    "lognorm": lambda times, sigma: special.ndtr(np.log(times) / sigma),
    "expon": lambda times: -np.expm1(-times),
}
PDF: dict[str, Callable[..., Floats]] = {
    "weibull_min": lambda times, shape: shape * times ** (shape - 1.0) * np.exp(-(times**shape)),
    "lognorm": lambda times, sigma: np.exp(-0.5 * (np.log(times) / sigma) ** 2) / (times * sigma * np.sqrt(2 * np.pi)),
    "expon": lambda times: np.exp(-times),
}


def cdf_of(family: Family) -> Callable[[Floats], Floats]:
    return lambda times: CDF[family.dist.name](np.maximum(times, 1e-300) / family.kwds["scale"], *family.args)


def pdf_of(family: Family) -> Callable[[Floats], Floats]:
    scale = family.kwds["scale"]
    return lambda times: PDF[family.dist.name](np.maximum(times, 1e-300) / scale, *family.args) / scale


@pytest.mark.parametrize("family", [EARLY, LATE, MIDDLE, stats.expon(scale=5)])
def test_the_closed_forms_are_those_of_scipy(family: Family) -> None:
    times = np.array([1e-3, 0.5, 4.0, 30.0, 200.0])
    np.testing.assert_allclose(cdf_of(family)(times), family.cdf(times), rtol=1e-12)
    np.testing.assert_allclose(pdf_of(family)(times), family.pdf(times), rtol=1e-11)


def as_rows(function: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda times: function(times)[None]


def cohort(
    *groups: tuple[int, float | None],
    median: float | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
) -> ReportedTimes:
    """Groups of (size, median)."""
    named = tuple(TimedGroup(f"group {place}", *group) for place, group in enumerate(groups))
    return ReportedTimes(named, median, minimum, maximum)


def test_the_median_of_an_odd_number_is_a_beta_of_the_cdf() -> None:
    """F(median of 2 k + 1) ~ Beta(k + 1, k + 1)."""
    for size, median in ((1, 4.0), (3, 9.0), (37, 10.3)):
        expected = stats.beta((size + 1) / 2, (size + 1) / 2).logpdf(LATE.cdf(median)) + LATE.logpdf(median)
        assert log_density(cohort((size, None), median=median), LATE) == pytest.approx(expected, rel=1e-12)
        assert log_density(cohort((size, median)), LATE) == pytest.approx(expected, rel=1e-12)


def test_the_median_of_two_exponential_times_is_a_gamma() -> None:
    """The mean of two exponential times of mean 5 is Gamma(2, scale 2.5)."""
    expected = stats.gamma(2, scale=2.5).logpdf(3.1)
    assert log_density(cohort((2, None), median=3.1), stats.expon(scale=5)) == pytest.approx(expected, rel=1e-9)
    assert log_density(cohort((2, 3.1)), stats.expon(scale=5)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("size", [4, slow(10), 38, slow(400)])
@pytest.mark.parametrize("family", [EARLY, LATE, MIDDLE], ids=["early", "late", "middle"])
def test_the_median_of_an_even_number_is_an_integral_over_the_middle_pair(size: int, family: Family) -> None:
    """2 n! / (k - 1)!^2 times the integral of F(m - h)^(k-1) S(m + h)^(k-1) f(m - h) f(m + h), n = 2 k."""
    median, pairs_outside = 5.5, size // 2 - 1
    scale = special.gammaln(size + 1) - 2 * special.gammaln(size / 2)

    def density_at(half: float) -> float:
        below, above = median - half, median + half
        logs = (
            pairs_outside * (family.logcdf(below) + family.logsf(above)) + family.logpdf(below) + family.logpdf(above)
        )
        return float(2 * np.exp(scale + logs))

    density, _ = integrate.quad(density_at, 0, median, points=[0.05, 0.3, 1.0], limit=500, epsabs=0, epsrel=1e-10)
    # with four patients the integrand is singular at 0 where an early density is infinite
    tolerance = 2e-5 if size == 4 else 1e-7
    assert log_density(cohort((size, None), median=median), family) == pytest.approx(np.log(density), abs=tolerance)
    assert log_density(cohort((size, median)), family) == pytest.approx(np.log(density), abs=tolerance)


def test_a_range_has_the_density_of_two_order_statistics() -> None:
    """n (n - 1) (F(b) - F(a))^(n - 2) f(a) f(b)."""
    expected = np.log(9 * 8) + 7 * np.log(MIDDLE.cdf(30) - MIDDLE.cdf(2)) + MIDDLE.logpdf(2) + MIDDLE.logpdf(30)
    assert log_density(cohort((9, None), minimum=2, maximum=30), MIDDLE) == pytest.approx(expected, rel=1e-12)


def test_medians_of_groups_alone_are_independent() -> None:
    alone = log_density(cohort((17, 10.6)), LATE) + log_density(cohort((10, 6.4)), EARLY)
    together = cohort((17, 10.6), (10, 6.4), (10, None))
    assert log_density(together, LATE, EARLY, MIDDLE) == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("sizes", [(11,), (6, 5), (2, 2, 4, 3), (12,), (5, 7), (3, 1, 8)])
def test_groups_with_one_distribution_may_be_split_in_any_way(sizes: tuple[int, ...]) -> None:
    whole = cohort((sum(sizes), None), median=8.0, minimum=1.0, maximum=30.0)
    parts = cohort(*((size, None) for size in sizes), median=8.0, minimum=1.0, maximum=30.0)
    expected = log_density(whole, MIDDLE)
    assert log_density(parts, *[MIDDLE] * len(sizes)) == pytest.approx(expected, abs=1e-9)


def enumerated(families: Sequence[Family], minimum: float, median: float, maximum: float) -> float:
    """Density of an odd cohort's three figures: all ways in which patients, one a family, take the places."""
    half = len(families) // 2
    edges = np.array([minimum, median, maximum])
    total = 0.0
    for first, middle, last in permutations(range(len(families)), 3):
        at_marks = families[first].pdf(minimum) * families[middle].pdf(median) * families[last].pdf(maximum)
        others = [family for place, family in enumerate(families) if place not in (first, middle, last)]
        sides = np.array([np.diff(family.cdf(edges)) for family in others]).reshape(-1, 2)
        for below in product((True, False), repeat=len(others)):
            if sum(below) == half - 1:
                total += at_marks * np.prod(np.where(below, sides[:, 0], sides[:, 1]))
    return total


def test_patients_of_different_groups_take_the_ranks_in_every_possible_way() -> None:
    reported = cohort((2, None), (1, None), (4, None), median=8.0, minimum=1.5, maximum=25.0)
    patients = [EARLY] * 2 + [LATE] + [MIDDLE] * 4
    expected = enumerated(patients, 1.5, 8.0, 25.0)
    assert log_density(reported, EARLY, LATE, MIDDLE) == pytest.approx(np.log(expected), rel=1e-10)


SHORT = stats.lognorm(0.7, scale=5.0)
LONG = stats.lognorm(0.7, scale=11.0)


def integrated_out(density: Callable[[float], float], figures: Sequence[float]) -> float:
    """The integral over one figure, by four Gauss-Legendre nodes on each piece between the other figures."""
    base, weights = special.roots_legendre(4)
    total = 0.0
    for low, high in pairwise(sorted({0.0, 3.0, 6.0, 10.0, 25.0, 100.0, *figures})):
        times = low + (high - low) * (base + 1) / 2
        total += (high - low) / 2 * sum(w * density(time) for time, w in zip(times, weights, strict=True))
    return total


def density_or_none(report: Callable[[], ReportedTimes], *families: Family) -> float:
    """The density, 0 for figures that no cohort has."""
    try:
        reported = report()
    except InputError as impossible:
        if "no cohort can have" in str(impossible) or "lies" in str(impossible):
            return 0.0
        raise
    return float(np.exp(log_density(reported, *families)))


@pytest.mark.parametrize("sizes", [(2, 3), (10, 5), slow((1, 3)), slow((5, 3))])
def test_integrating_out_a_groups_median_leaves_that_of_the_cohort(sizes: tuple[int, int]) -> None:
    """Sizes at which the two cannot be one patient; an even group in an odd cohort, or an odd one in an even."""
    group, others = sizes
    total = integrated_out(
        lambda group_median: density_or_none(
            lambda: cohort((group, group_median), (others, None), median=8.7), SHORT, LONG
        ),
        [4.35, 8.7, 17.4],
    )
    expected = np.exp(log_density(cohort((group, None), (others, None), median=8.7), SHORT, LONG))
    assert total == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("sizes", [(2, 1), (4, 3), slow((3, 1))])
def test_integrating_out_the_cohorts_median_leaves_that_of_the_group(sizes: tuple[int, int]) -> None:
    group, others = sizes
    group_median = 6.3
    total = integrated_out(
        lambda median: density_or_none(
            lambda: cohort((group, group_median), (others, None), median=median), SHORT, LONG
        ),
        [group_median, 2 * group_median],
    )
    assert total == pytest.approx(np.exp(log_density(cohort((group, group_median)), SHORT)), rel=2e-3)


@pytest.mark.representatives(2)
@pytest.mark.parametrize("sizes", [(4, 3), (3, 3), (3, 4)])
def test_integrating_out_the_minimum_leaves_the_medians(sizes: tuple[int, int]) -> None:
    group, others = sizes
    group_median, median = 5.1, 7.7
    total = integrated_out(
        lambda minimum: density_or_none(
            lambda: cohort((group, group_median), (others, None), median=median, minimum=minimum), SHORT, LONG
        ),
        [group_median, median, 2 * group_median - median],
    )
    expected = np.exp(log_density(cohort((group, group_median), (others, None), median=median), SHORT, LONG))
    assert total == pytest.approx(expected, rel=2e-3)


@pytest.mark.slow
def test_the_density_lacks_cohorts_where_one_patient_has_both_medians() -> None:
    """Of three, the middle one is also the middle one of all five in 4 of the 10 orders: 6 of 10 are left."""
    total = integrated_out(
        lambda median: integrated_out(
            lambda group_median: density_or_none(
                lambda: cohort((3, group_median), (2, None), median=median), SHORT, SHORT
            ),
            [median],
        ),
        [],
    )
    assert total == pytest.approx(0.6, abs=5e-3)


SIZES = {"early": EARLY, "late": LATE}


@pytest.mark.representatives(2)
@pytest.mark.parametrize(
    ("groups", "figures", "box"),
    [
        # whose figure each side of the box is for; no box holds a point where two figures may be one patient
        ([("late", 3), ("early", 4)], ["late", "early", "median"], [(8.0, 11.0), (4.0, 6.0), (6.2, 7.8)]),
        ([("late", 3), ("early", 4)], ["late", "early", "median"], [(4.0, 5.5), (6.0, 8.0), (5.6, 5.9)]),
        ([("late", 5), ("early", 2)], ["early", "minimum", "median"], [(4.6, 6.0), (0.5, 1.5), (5.0, 7.0)]),
        ([("late", 2), ("early", 3)], ["late", "minimum", "maximum"], [(5.0, 7.0), (1.0, 2.0), (14.0, 20.0)]),
        slow([("late", 3), ("early", 3)], ["late", "early", "median"], [(9.0, 13.0), (3.0, 4.0), (4.5, 5.8)]),
        slow([("late", 4), ("early", 4)], ["late", "early", "median"], [(8.0, 11.0), (4.0, 6.0), (6.2, 7.8)]),
        slow([("late", 4), ("early", 6)], ["late", "minimum", "median"], [(6.0, 8.0), (0.5, 1.5), (4.5, 6.0)]),
    ],
)  # fmt: skip
def test_figures_fall_in_a_box_as_often_as_their_density_says(
    groups: list[tuple[str, int]], figures: list[str], box: list[tuple[float, float]]
) -> None:
    """Simulated cohorts: a binomial count (4.5 sd, false alarm 7e-6), and 1 % for quadrature."""
    cohorts = 400_000
    inside = simulated(groups, figures, box, cohorts=cohorts, seed=20)
    probability = box_probability(groups, figures, box)
    error = 4.5 * np.sqrt(probability / cohorts)
    assert abs(inside - probability) < error + 0.01 * probability


def simulated(
    groups: list[tuple[str, int]], figures: list[str], box: list[tuple[float, float]], *, cohorts: int, seed: int
) -> float:
    """Share of simulated cohorts whose figures all lie in the box."""
    generator = np.random.default_rng(seed)
    # Both are Weibull; by scipy's families it takes three times as long.
    times = {
        name: SIZES[name].kwds["scale"] * generator.weibull(SIZES[name].args[0], (cohorts, size))
        for name, size in groups
    }
    everybody = np.concatenate(list(times.values()), axis=1)
    everybody.sort(axis=1)
    inside = np.ones(cohorts, dtype=bool)
    for figure, (low, high) in zip(figures, box, strict=True):
        ordered = np.sort(times[figure], axis=1) if figure in times else everybody
        place = {"minimum": [0], "maximum": [-1]}.get(figure, [(ordered.shape[1] - 1) // 2, ordered.shape[1] // 2])
        value = ordered[:, place].mean(axis=1)
        inside &= (value > low) & (value < high)
    return float(inside.mean())


def box_probability(groups: list[tuple[str, int]], figures: list[str], box: list[tuple[float, float]]) -> float:
    """The density integrated over the box with three Gauss-Legendre nodes a figure."""
    base, base_weights = special.roots_legendre(3)
    axes = [low + (high - low) * (base + 1) / 2 for low, high in box]
    weights = [base_weights * (high - low) / 2 for low, high in box]
    total = 0.0
    for places in product(range(3), repeat=len(box)):
        values = {figure: float(axes[i][place]) for i, (figure, place) in enumerate(zip(figures, places, strict=True))}
        medians = [(size, values.pop(name, None)) for name, size in groups]
        density = np.exp(log_density(cohort(*medians, **values), *[SIZES[name] for name, _ in groups]))
        total += density * np.prod([weights[i][place] for i, place in enumerate(places)])
    return total


WANG = cohort((17, 10.6), (10, 6.4), (10, None), median=10.3, minimum=0.5, maximum=40.4)


def weibulls(scales: Floats, shapes: Floats) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
    """The cdf and density of a parameter row each."""

    def family(times: Floats) -> Family:
        shape = (len(scales), *[1] * np.ndim(times))
        return stats.weibull_min(shapes.reshape(shape), scale=scales.reshape(shape))

    return lambda times: family(times).cdf(times), lambda times: family(times).pdf(times)


def test_parameter_rows_have_their_densities_whatever_the_order_of_groups() -> None:
    generator = np.random.default_rng(30)
    rows = {group.name: (generator.uniform(6, 20, 5), generator.uniform(0.7, 2, 5)) for group in WANG.groups}
    functions = {name: weibulls(*parameters) for name, parameters in rows.items()}
    cdf, pdf = ({name: pair[place] for name, pair in functions.items()} for place in (0, 1))
    log_densities = WANG.log_density(cdf, pdf)
    assert log_densities.shape == (5,)
    for row in range(5):
        families = [stats.weibull_min(shape[row], scale=scale[row]) for scale, shape in rows.values()]
        assert log_density(WANG, *families) == pytest.approx(log_densities[row], rel=1e-12)
    reversed_groups = ReportedTimes(WANG.groups[::-1], WANG.median, WANG.minimum, WANG.maximum)
    np.testing.assert_allclose(reversed_groups.log_density(cdf, pdf), log_densities, rtol=1e-10)


def test_the_likeliest_times_are_near_the_reported_ones() -> None:
    """Were everybody's median 10 times the reported one, the figures would be far less likely."""
    near = [stats.weibull_min(1.2, scale=median / np.log(2) ** (1 / 1.2)) for median in (10.6, 6.4, 12.0)]
    far = [stats.weibull_min(1.2, scale=10 * family.kwds["scale"]) for family in near]
    assert log_density(WANG, *near) > log_density(WANG, *far) + 30


def test_extreme_parameters_have_a_finite_or_no_density_and_no_warning() -> None:
    for scale in (1e-3, 1e6):
        value = log_density(WANG, *[stats.expon(scale=scale)] * 3)
        assert value < -300
        assert not np.isnan(value)


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (lambda: cohort((5, None)), "at least one figure"),
        (lambda: ReportedTimes((TimedGroup("a", 3, 2.0), TimedGroup("a", 3))), "names of their own"),
        (lambda: cohort((0, 4.0)), "group group 0: no patients; got 0"),
        (lambda: cohort((5, -4.0)), "the median of group 0: impossible time; got -4.0"),
        (lambda: cohort((5, None), median=float("nan")), "the median: impossible time; got nan"),
        (lambda: cohort((5, None), median=4.0, minimum=5.0), "below the minimum"),
        (lambda: cohort((5, 9.0), (4, None), maximum=8.0), "above the maximum"),
        (lambda: cohort((5, 4.0), (4, None), median=4.0), "may be one patient.*allowed: one figure fewer"),
        (lambda: cohort((3, 3.0), (3, 5.0), median=4.0), "may be that of the median of group 0 and the median"),
        (lambda: cohort((2, 3.0), (3, None), median=4.0, minimum=2.0), "may be that of the minimum and the median"),
        (lambda: cohort((2, 3.0), (4, None), median=4.0), "of two patients, is not supported"),
        (lambda: cohort((2, None), median=4.0, minimum=1.0), "leaves no room"),
        (lambda: cohort((3, 5.0), (3, 6.0), median=4.0), "no cohort can have all these figures"),
        (lambda: cohort((1, None), minimum=5.0, maximum=6.0), "no cohort can have all these figures"),
    ],
)
def test_figures_without_a_density_are_refused(report: Callable[[], ReportedTimes], message: str) -> None:
    with pytest.raises(InputError, match=message):
        report()


def test_figures_that_happen_to_be_midway_are_not_refused() -> None:
    """Of 38 patients neither the shortest nor the longest time is a middle one, so their mean may be the median."""
    assert np.isfinite(log_density(cohort((38, None), median=5.5, minimum=1.0, maximum=10.0), MIDDLE))
