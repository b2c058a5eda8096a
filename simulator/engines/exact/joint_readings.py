"""Models of one pathway and the same draws, read together on one lattice: all draws at once, or in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.arrays import slices
from simulator.engines.curves import Curves
from simulator.engines.exact import accuracy, engine
from simulator.engines.exact.outcome_readings import OutcomeReadings, readings
from simulator.engines.model import Model


def read_together(
    models: Sequence[Model],
    horizon: float,
    *,
    step: float | None = None,
    only: engine.Wanted | None = None,
    reported: tuple[float, ...] = (),
) -> Sequence[Curves | OutcomeReadings]:
    """Return what is read of models of one pathway and the same draws, on one lattice; see `readings`.

    Curves where that does not do, as of `engine.compared`.
    """
    step = step or _step(models, horizon)
    read = _without_curves(models, horizon, step, only, reported)
    return engine.compared(models, horizon, step=step, only=only) if read is None else read


def read_in_parts(
    models: Sequence[Model],
    horizon: float,
    *,
    step: float | None = None,
    only: engine.Wanted | None = None,
    reported: tuple[float, ...] = (),
) -> Iterator[tuple[slice, Sequence[Curves | OutcomeReadings]]]:
    """Yield the same of as many draws as fit in memory, with their places: paths are found once, for all draws."""
    n_draws, step = models[0].n_draws, step or _step(models, horizon)
    read = _without_curves(models, horizon, step, only, reported, in_parts=True)
    if read is None:
        for rows in slices(n_draws, engine.batch(models[0].pathway, horizon, only)):
            some = [model.of_draws(range(n_draws)[rows]) for model in models]
            yield rows, engine.compared(some, horizon, step=step, only=only)
        return
    paths = read[0].sums.paths
    if only is None:
        for of_model in read:
            of_model.find_paths()
    for rows in slices(n_draws, min(paths.most_draws(engine.BYTES), engine.BATCH)):
        part = paths.of_draws(rows)
        yield rows, [of_model.of_draws(rows, part) for of_model in read]


def _step(models: Sequence[Model], horizon: float) -> float | None:
    """Return the step of models without cycles."""
    return None if any(map(accuracy.cycle, models)) else engine.one_step(models, horizon)


def _without_curves(
    models: Sequence[Model],
    horizon: float,
    step: float | None,
    only: engine.Wanted | None,
    reported: tuple[float, ...],
    in_parts: bool = False,
) -> list[OutcomeReadings] | None:
    if step is None:
        return None
    window = engine.is_windowed(models[0].pathway, only)
    paths = engine.new_paths(models[0].pathway, horizon, step, window=window, in_parts=in_parts)
    read = [of_model for model in models if (of_model := readings(model, horizon, step, paths, only, reported))]
    return read if len(read) == len(models) else None
