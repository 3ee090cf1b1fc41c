# SPDX-License-Identifier: EUPL-1.2
"""The figures of the product, each a ratio to PostgreSQL in the same run (bin/bench)."""
import argparse, contextlib, json, os, pathlib, platform, signal, statistics, subprocess, sys, time

import audit, desk, exports, imports, live, pages, rows, start
from server import PG_BIN, Server, say

PARTS = ("import", "million", "list", "dashboard", "export", "live", "desk", "audit", "start")


class Report:
    def __init__(self):
        self.lines, self.details = [], []

    def add(self, name, value, target, holds, text):
        self.lines.append({"name": name, "ratio": round(value, 3), "target": target, "holds": holds, "text": text})

    def ratio(self, name, all, target, text, at_least=False):
        """The median of the ratios of the rounds, to be at most (or at least) the target."""
        median = statistics.median(all)
        self.add(name, median, target, median >= target if at_least else median <= target, text)

    def limit(self, name, value, target, text):
        self.add(name, value, target, value <= target, text)

    def note(self, name, all, text):
        self.add(name, statistics.median(all), None, None, text)

    def raw(self, name, value):
        self.details.append((name, value))

    def table(self):
        print(f"\n{'chiffre':34} {'mesuré':>9} {'cible':>7}  tenu  quoi")
        for line in self.lines:
            target = "—" if line["target"] is None else f"{line['target']:g}"
            held = {True: "oui", False: "NON", None: " — "}[line["holds"]]
            print(f"{line['name']:34} {line['ratio']:9.3f} {target:>7}  {held:4}  {line['text']}")

    def print_raw(self):
        print("\nRelevés bruts :")
        for name, value in self.details:
            print(f"- {name} : {json.dumps(value, ensure_ascii=False, default=str)}")


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((l.split(":")[1].strip() for l in info if l.startswith("model name")), "?")
    ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    version = subprocess.run([f"{PG_BIN}/postgres", "--version"], capture_output=True, text=True).stdout.strip()
    return f"{os.cpu_count()} cœurs {model}, {ram} Gio, Linux {platform.release()}, {version}, priorité {os.nice(0)}"


def count_statements(server):
    """pg_stat_statements, when PostgreSQL came with it, for the one part that needs it."""
    server.counts_statements = False
    library = subprocess.run([f"{PG_BIN}/pg_config", "--pkglibdir"], capture_output=True, text=True).stdout.strip() or str(pathlib.Path(PG_BIN).parent / "lib")
    if (pathlib.Path(library) / "pg_stat_statements.so").exists():
        server.sql("alter system set shared_preload_libraries = 'pg_stat_statements'")
        server.stop()
        server.start()
        server.sql("create extension if not exists pg_stat_statements")
        server.counts_statements = True


def main():
    ask = argparse.ArgumentParser(prog="bin/bench", description="Mesure OpsTracker contre PostgreSQL nu.")
    ask.add_argument("--quick", action="store_true", help="10 000 lignes, un contrôle de deux minutes au plus")
    ask.add_argument("--json", action="store_true", help="une ligne JSON par chiffre")
    ask.add_argument("--only", default=",".join(PARTS), help=f"parties, séparées par des virgules : {', '.join(PARTS)}")
    ask.add_argument("--rounds", type=int, default=3)
    asked = ask.parse_args()
    only, quick = set(asked.only.split(",")), asked.quick
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began, load = time.time(), os.getloadavg()[0]
    server, report = Server(), Report()
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.callback(server.remove)
        server.start()
        server.sign_in()
        time.sleep(1 if quick else 3)
        campaign, first, confirm = imports.measure(server, 10_000 if quick else 100_000, asked.rounds if "import" in only else 1, report)
        if "list" in only:
            pages.listing(server, campaign, asked.rounds, 2 if quick else 5, report)
        if "dashboard" in only:
            pages.dashboard(server, campaign, 7 if quick else 20, report)
        if "export" in only:
            exports.measure(server, campaign, report)
        if "live" in only:
            count_statements(server)
            live.measure(server, campaign, 200, 6 if quick else 24, report)
        if "desk" in only:
            desk.measure(server, campaign, first, confirm, quick, report)
        if "million" in only:
            imports.million(server, server.dir / "operations.csv", 10, report)
        if "audit" in only:
            audit.measure(server, 20_000 if quick else 1_000_000, report)
        if "start" in only:
            start.measure(server, 3 if quick else 5, report)
    report.raw("machine", machine())
    report.raw("charge (1 min)", {"début": load, "fin": os.getloadavg()[0], "durée (s)": round(time.time() - began)})
    if asked.json:
        for line in report.lines:
            if line["target"] is not None:
                print(json.dumps({k: line[k] for k in ("name", "ratio", "target", "holds")}))
        return
    report.table()
    report.print_raw()


if __name__ == "__main__":
    main()
