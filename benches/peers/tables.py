"""What was found, as Markdown and as JSON."""

import json
import platform
import statistics

from peers import PEERS, cores


def times(results):
    """A row for each peer on each workload: its times, and how many times ours they are."""
    print("| workload | peer | µs a step | min – max | peer / ours |\n|---|---|--:|--:|--:|")
    for workload, found_by_name in results.items():
        ours = found_by_name.get("ours", {})
        for name, found in found_by_name.items():
            start = f"| {workload} | {PEERS[name].title}"
            if "missing" in found:
                print(f"{start} | {missing(found)} | | |")
                continue
            us = found["us_per_step"]
            median = statistics.median(us)
            has_ours = "missing" not in ours and "us_per_step" in ours
            ratio = f"{median / statistics.median(ours['us_per_step']):.2f}" if has_ours else ""
            wrong = "" if found["agrees"] else " (computes other totals)"
            print(f"{start}{wrong} | {median:,.0f} | {min(us):,.0f} – {max(us):,.0f} | {ratio} |")
    versions(results)


def totals(results):
    """A row for each peer on each workload: what its first and its tenth step saw."""
    print("| workload | peer | total, first step | total, tenth step | |\n|---|---|--:|--:|---|")
    for workload, found_by_name in results.items():
        for name, found in found_by_name.items():
            start = f"| {workload} | {PEERS[name].title}"
            if "missing" in found:
                print(f"{start} | {missing(found)} | | |")
                continue
            first, tenth = found["totals"]
            verdict = "agrees" if found["agrees"] else "DISAGREES"
            print(f"{start} | {first:.6f} | {tenth:.6f} | {verdict} |")
    versions(results)


def missing(found):
    reason = str(found["missing"]).replace("|", "\\|")
    return f"missing: {reason}"


def versions(results):
    """What the peers are, and where they ran."""
    every = [found for found_by_name in results.values() for found in found_by_name.values()]
    lines = dict.fromkeys(f"{it['version']} on {it['device']}" for it in every if "version" in it)
    print(f"\n{'; '.join([f'{platform.platform()}, {cores()} cores', *lines])}.")


def write_json(path, results):
    report = {"machine": platform.platform(), "cores": cores(), "workloads": results}
    with open(path, "w") as file:
        json.dump(report, file, indent=2, default=str)
        file.write("\n")
