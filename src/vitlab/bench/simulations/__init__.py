"""Simulated studies, a table each: how often verdicts err, what they find, and what intervals cover."""

from collections.abc import Mapping

from vitlab.bench.simulations import factorial, verdicts
from vitlab.bench.simulations.coverage import COVERAGE
from vitlab.bench.simulations.equivalence import EQUIVALENCE
from vitlab.bench.simulations.pairing import PAIRING
from vitlab.bench.simulations.row import Kind

KINDS: Mapping[str, Kind] = {
    "error": verdicts.ERROR,
    "power": verdicts.POWER,
    "coverage": COVERAGE,
    "factorial": factorial.ERROR,
    "factorial_power": factorial.POWER,
    "pairing": PAIRING,
    "equivalence": EQUIVALENCE,
}
