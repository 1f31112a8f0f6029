# SPDX-License-Identifier: Apache-2.0
# The same statistics of the same people at the same epsilon by Godwit's privacy library and by three others: how long
# one release takes, and how far it is from the truth. Prints one table; judges nothing.
#
#   python3 tests/bench/peers/peers.py BUILD-FOLDER [people]        (or: sh tests/run.sh peers)
import importlib.metadata
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy

warnings.simplefilter("ignore")

LOW, HIGH = 0, 200000  # bounds of an income, which are public
WELL_OFF = 40000  # who is counted
BINS = 20
CANDIDATES = 20000  # of a quantile: bins of equal width
DECILES = [level / 10 for level in range(1, 10)]
EPSILONS = (1.0, 0.1)
STATISTICS = ("count", "sum", "mean", "median", "deciles", "histogram")
SECONDS = 4.0  # for one case, at most
ROUNDS = 400


def people(count):
    """Incomes that look like incomes, the same in every run."""
    generator = numpy.random.Generator(numpy.random.PCG64(20261122))
    return numpy.clip(generator.lognormal(10.0, 0.6, count), LOW, HIGH - 1).astype(numpy.int32)


def truth(incomes):
    ordered = numpy.sort(incomes)
    counts, _ = numpy.histogram(incomes, bins=BINS, range=(LOW, HIGH))
    at = [float(ordered[min(len(ordered) - 1, int(level * len(ordered)))]) for level in DECILES]
    return {"count": [float((incomes >= WELL_OFF).sum())], "sum": [float(incomes.sum(dtype=numpy.int64))], "mean": [float(incomes.mean())],
            "median": [at[4]], "deciles": at, "histogram": [float(one) for one in counts]}


def measure(release, exact):
    """Median seconds of one release, and the root of the mean squared error over its figures and all rounds."""
    times, squares, figures = [], 0.0, 0
    begin = time.perf_counter()
    while len(times) < ROUNDS and (len(times) < 20 or time.perf_counter() - begin < SECONDS):
        start = time.perf_counter()
        got = release()
        times.append(time.perf_counter() - start)
        squares += sum((float(one) - true) ** 2 for one, true in zip(got, exact))
        figures += len(exact)
    return statistics.median(times), math.sqrt(squares / figures)


# ---- each library: a function per statistic, made once for its epsilon; what is worked out before the data is not timed

def opendp_releases(incomes, epsilon):
    import opendp.prelude as dp
    dp.enable_features("contrib")
    values = incomes.astype(numpy.int64)
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.symmetric_distance()
    bounded = space >> dp.t.then_clamp((LOW, HIGH))

    def fitted(transformation, share=1.0):  # the smallest noise for the price
        return dp.binary_search_chain(lambda scale: transformation >> dp.m.then_laplace(scale), d_in=1, d_out=epsilon * share)

    count = fitted(space >> dp.t.then_count())
    total = fitted(bounded >> dp.t.then_sum())
    half_count, half_total = fitted(space >> dp.t.then_count(), 0.5), fitted(bounded >> dp.t.then_sum(), 0.5)
    edges = [LOW + (HIGH - LOW) * i // CANDIDATES for i in range(CANDIDATES)]

    def quantile(level, share=1.0):
        return dp.binary_search_chain(lambda scale: space >> dp.m.then_private_quantile(dp.max_divergence(), edges, level, scale),
                                      d_in=1, d_out=epsilon * share)

    median = quantile(0.5)
    deciles = [quantile(level, 1 / len(DECILES)) for level in DECILES]
    width = (HIGH - LOW) // BINS
    histogram = fitted(space >> dp.t.then_count_by_categories(list(range(BINS)), null_category=False))
    return {
        "count": lambda: [count(values[values >= WELL_OFF])],
        "sum": lambda: [total(values)],
        "mean": lambda: [half_total(values) / max(1, half_count(values))],
        "median": lambda: [median(values)],
        "deciles": lambda: [one(values) for one in deciles],
        "histogram": lambda: histogram(values // width),
    }


def diffprivlib_releases(incomes, epsilon):
    from diffprivlib import tools
    values = incomes.astype(numpy.float64)
    options = {"epsilon": epsilon, "bounds": (LOW, HIGH)}
    return {
        "count": lambda: [tools.count_nonzero(values >= WELL_OFF, epsilon=epsilon)],
        "sum": lambda: [tools.sum(values, **options)],
        "mean": lambda: [tools.mean(values, **options)],
        "median": lambda: [tools.median(values, **options)],
        "deciles": lambda: tools.quantile(values, DECILES, **options),
        "histogram": lambda: tools.histogram(values, epsilon=epsilon, bins=BINS, range=(LOW, HIGH))[0],
    }


def google_releases(incomes, epsilon):
    from pydp.algorithms import laplacian
    real = incomes.astype(numpy.float64).tolist()
    bounds = {"lower_bound": LOW, "upper_bound": HIGH, "l0_sensitivity": 1, "linf_sensitivity": 1}
    width = (HIGH - LOW) // BINS

    def quantile(level, share=1.0):
        made = laplacian.Percentile(epsilon=epsilon * share, percentile=level, lower_bound=LOW, upper_bound=HIGH,
                                    dtype="float")
        return made.quick_result(real)

    def histogram():  # one count per bin; a person is in one bin, so each costs the whole epsilon once
        return [laplacian.Count(epsilon, 1, 1, "int").quick_result(part.tolist())
                for part in (incomes[incomes // width == i] for i in range(BINS))]

    return {
        "count": lambda: [laplacian.Count(epsilon, 1, 1, "int").quick_result(incomes[incomes >= WELL_OFF].tolist())],
        "sum": lambda: [laplacian.BoundedSum(epsilon=epsilon, delta=0, dtype="float", **bounds).quick_result(real)],  # "int" keeps 32 bits
        "mean": lambda: [laplacian.BoundedMean(epsilon=epsilon, dtype="float", **bounds).quick_result(real)],
        "median": lambda: [quantile(0.5)],
        "deciles": lambda: [quantile(level, 1 / len(DECILES)) for level in DECILES],
        "histogram": histogram,
    }


PEERS = (("OpenDP", "opendp", opendp_releases), ("diffprivlib", "diffprivlib", diffprivlib_releases),
         ("Google (PyDP)", "python-dp", google_releases))


def godwit_lines(build, incomes, exact):
    """The library's own program on the same people: {(statistic, epsilon): (seconds, error)}."""
    with tempfile.NamedTemporaryFile(suffix=".i32") as data, tempfile.NamedTemporaryFile("w", suffix=".txt") as true:
        incomes.astype("<i4").tofile(data.name)
        true.write("".join(f"{name} {' '.join(repr(one) for one in exact[name])}\n" for name in STATISTICS))
        true.flush()
        run = subprocess.run([os.path.join(build, "peers", "bench_peers"), data.name, true.name, *map(str, EPSILONS)],
                             capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {(line["statistic"], line["epsilon"]): (line["seconds"], line["error"]) for line in lines}


def error_text(error):
    return f"{error:,.0f}" if error >= 1000 else f"{error:.3g}"


def main():
    build = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    incomes = people(count)
    exact = truth(incomes)
    versions = ", ".join(f"{name} {importlib.metadata.version(package)}" for name, package, _ in PEERS)
    print(f"# {count:,} people, incomes in [{LOW}, {HIGH}], {os.uname().machine}, {os.cpu_count()} cores; {versions}")
    print(f"# error: root mean square over up to {ROUNDS} rounds, known to some 6 %; ratios to Godwit's, above 1 where Godwit is better")
    print("# diffprivlib takes the number of people for public in sums and means, and neighbours that replace one person")
    own = godwit_lines(build, incomes, exact)
    for epsilon in EPSILONS:
        print(f"\nepsilon {epsilon:g}\n{'statistic':<10} {'library':<14} {'per release':>12} {'ratio':>8} {'error':>14} {'ratio':>8}")
        made = [(name, releases(incomes, epsilon)) for name, _, releases in PEERS]
        for name in STATISTICS:
            seconds, error = own[name, epsilon]
            print(f"{name:<10} {'Godwit':<14} {seconds * 1e3:>9.3f} ms {'':>8} {error_text(error):>14}")
            for peer, releases in made:
                took, off = measure(releases[name], exact[name])
                print(f"{'':<10} {peer:<14} {took * 1e3:>9.3f} ms {took / seconds:>7.1f}x {error_text(off):>14} {off / error:>7.2f}x",
                      flush=True)


main()
