# SPDX-License-Identifier: EUPL-1.2
"""The list and the dashboard of a campaign of 100,000 operations against their own SQL."""
import re, statistics, subprocess, time

from server import Browser, say


def wrk(server, url, seconds):
    done = subprocess.run(["wrk", "-t2", "-c16", f"-d{seconds}s", "-H", f"Cookie: {server.cookie}", url], capture_output=True, text=True)
    if "Non-2xx" in done.stdout or done.returncode:
        raise SystemExit(f"wrk : {done.stdout}{done.stderr}")
    return float(re.search(r"Requests/sec: +([\d.]+)", done.stdout)[1])


def place(server, campaign, rank):
    """The keyset cursor of the row of this rank, as the links of the list write it."""
    row = server.sql(f"select replace(segment_sort::text, '-', ''), label_norm, identifier_norm from operations where campaign_id = '{campaign}' "
                     f"and deleted_at is null order by segment_sort, label_norm, identifier_norm offset {rank} limit 1")
    return "\x1f".join(row.split("|")).encode().hex()


def listing(server, campaign, rounds, seconds, report):
    path = f"/campagnes/{campaign}/operations"
    url = f"http://127.0.0.1:{server.port}{path}"
    wrk(server, url, 2)
    sent = server.captured(lambda: Browser(server).get(path))
    report.raw("liste : ses requêtes", sent)
    script = "\n".join(f"{s};" for s in sent)
    pages, bases = [], []
    for turn in range(rounds):
        say(f"liste, 16 connexions, tour {turn + 1}/{rounds}")
        pages.append(wrk(server, url, seconds))
        bases.append(server.pgbench(script, 16, seconds))
    report.raw("liste : pages/s, pgbench/s", list(zip(pages, bases)))
    report.ratio("list.pages_per_second", [p / b for p, b in zip(pages, bases)], 0.20, "pages/s ÷ pgbench de ses requêtes, 16 connexions", at_least=True)
    total = int(server.sql(f"select count(*) from operations where campaign_id = '{campaign}' and deleted_at is null"))
    urls = {"première": path, "milieu": f"{path}?apres={place(server, campaign, total // 2)}&rang={total // 2}",
            "dernière": f"{path}?avant={place(server, campaign, total - 1)}"}
    taken = {name: [] for name in urls}
    browser = Browser(server)
    for _ in range(20):
        for name, url in urls.items():
            taken[name].append(browser.timed(url))
    median = {name: statistics.median(all) for name, all in taken.items()}
    report.raw("liste : médianes à 1 connexion (ms)", {name: round(s * 1000, 2) for name, s in median.items()})
    for name, code in (("milieu", "middle"), ("dernière", "last")):
        report.ratio(f"list.{code}_page", [median[name] / median["première"]], 1.5, f"page {name} ÷ première, médianes de 20")


class Psql:
    """One connection kept open, so that a statement finds its backend warm."""

    def __init__(self, server):
        self.process = subprocess.Popen(["stdbuf", "-oL", "psql", "-XqAt"], env=server.postgres_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tell("\\timing on\n\\o /dev/null\n")

    def tell(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def seconds(self, statements):
        self.tell("".join(f"{s};\n" for s in statements))
        return sum(float(re.search(r"Time: ([\d.]+) ms", self.process.stdout.readline())[1]) for _ in statements) / 1000

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def dashboard(server, campaign, samples, report):
    """Cold: the figures of the process are over a second old at each sample."""
    path = f"/campagnes/{campaign}/tableau-de-bord"
    sent = server.captured(lambda: Browser(server).get(path), pause=1.1)
    aggregates = [s for s in sent if re.search(r"count\(\*\)", s) and "operations" in s]
    cells = [s for s in aggregates if "segment_sort, status_id" in s]
    if not cells:
        raise SystemExit(f"l’agrégat n’a pas été vu : {sent}")
    report.raw("tableau de bord : ses requêtes", sent)
    say("tableau de bord à froid")
    browser, psql = Browser(server), Psql(server)
    pages, raws, all_raws, warm = [], [], [], []
    for _ in range(samples):
        time.sleep(1.1)
        pages.append(browser.timed(path))
        warm.append(browser.timed(path))
        raws.append(psql.seconds(cells[:1]))
        all_raws.append(psql.seconds(sent))
    psql.close()
    ms = lambda all: round(statistics.median(all) * 1000, 2)
    report.raw("tableau de bord (ms, médianes)", {"page à froid": ms(pages), "page à chaud": ms(warm), "agrégat nu": ms(raws), "toutes ses requêtes nues": ms(all_raws)})
    report.ratio("dashboard.cold", [statistics.median(pages) / statistics.median(raws)], 1.5, "page à froid ÷ son agrégat (segment × statut), 1 connexion")
    report.note("dashboard.cold_to_all_sql", [statistics.median(pages) / statistics.median(all_raws)], "page à froid ÷ toutes ses requêtes (pour information)")
