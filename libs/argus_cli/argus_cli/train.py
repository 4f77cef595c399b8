"""``argus train``: a model from a recorded trace or an archive."""

from pathlib import Path

from argus_cli import train_options as options


def train_command(
    file: options.File,
    models: options.Models = Path("models"),
    name: options.Name = "fleet",
    version: options.Version = None,
    target: options.Target = None,
    family: options.Family = "residual",
    preset: options.Preset = "small",
    horizon: options.Horizon = None,
    steps: options.Steps = None,
    seed: options.Seed = 7,
    warm_start: options.WarmStart = None,
    exclude: options.Exclude = None,
    validation: options.Validation = 0.15,
    test: options.Test = 0.0,
    step: options.Step = None,
    work: options.Work = None,
    notes: options.Notes = None,
    accelerator: options.Accelerator = None,
    devices: options.Devices = None,
    strategy: options.Strategy = "auto",
    precision: options.Precision = None,
) -> None:
    """Train a model on a recorded trace: in time order, validated on its newest part, ready for --model.

    A trace may be larger than memory: it becomes an array in the temporary folder (TMPDIR), 6 bytes for each metric,
    server and step. Ctrl-C stops after the current step and still writes the best model so far; with --work, the same
    command with another --version goes on from there.

    Examples: argus train month.parquet --name web --version 1   ·   argus train archive/ --name web --version 2
    --warm-start models/web/1   ·   argus forecast week.parquet --every 12 --model models/web/1 --out forecast.parquet
    """
    from argus_cli.train_work import Wanted, carry_out  # noqa: PLC0415 (Lightning takes seconds, --help must not)

    asked = Wanted(
        file, models, name, version, target, family, preset, horizon, steps, seed, warm_start, exclude, validation,
        test, step, work, notes, accelerator, devices, strategy, precision,
    )  # fmt: skip
    carry_out(asked)
