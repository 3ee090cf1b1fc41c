# SPDX-License-Identifier: EUPL-1.2
"""Imports by HTTP against COPY, and the memory they take."""
import json, re, statistics, subprocess, threading, time

import rows
from server import BIN, Browser, memory, say


# Columns that a person decides; a proposal that takes the same target becomes a field.
SETTLED = {"Site": "segment", "Date planifiée": "date", "Technicien": "nouveau-short_text"}


# Counts read the index alone: the state in which the pages are measured (P8 of the design).
INDEX_ONLY = "select relpages > 0 and relallvisible >= relpages * 0.9 from pg_class where oid = 'operations'::regclass"


class Peak:
    """The highest resident memory of a process while it is watched."""

    def __init__(self, pid):
        self.pid, self.highest, self.ended = pid, 0.0, threading.Event()

    def __enter__(self):
        try:
            with open(f"/proc/{self.pid}/clear_refs", "w") as clear:
                clear.write("5")  # VmHWM starts again from here
        except OSError:
            pass
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.ended.wait(0.02):
            self.highest = max(self.highest, memory(self.pid, "VmHWM"))

    def __exit__(self, *_):
        self.highest = max(self.highest, memory(self.pid, "VmHWM"))
        self.ended.set()
        self.thread.join()


def until(look, seconds=600, pause=0.05, fatal=True):
    """Seconds until `look` says yes; over `seconds` when it never does."""
    began = time.perf_counter()
    while not look():
        if time.perf_counter() - began > seconds:
            if fatal:
                raise SystemExit("l’import ne finit pas")
            break
        time.sleep(pause)
    return time.perf_counter() - began


def proposed(page):
    """What the form of the columns proposes."""
    selects = re.findall(r'<select class="input" id="f-(colonne-\d+)"[^>]*>(.*?)</select>', page, re.S)
    return {name: re.search(r'value="([^"]*)" selected', body)[1] for name, body in selects}


def columns_of(page):
    """The same, the identifier and a few columns settled."""
    chosen = proposed(page)
    for index, header in re.findall(r'<label for="f-colonne-(\d+)"><code>(.*?)</code>', page):
        settled = SETTLED.get(header)
        if settled or chosen[f"colonne-{index}"] in SETTLED.values():
            chosen[f"colonne-{index}"] = settled or "nouveau-short_text"
    return chosen


def by_http(server, file, name):
    """One import from the upload to the rows on the list; seconds of each part."""
    browser, campaign, seconds = Browser(server), server.campaign(name), {}
    root = f"/campagnes/{campaign}"
    began = time.perf_counter()
    url = browser.upload(f"{root}/imports", file).removesuffix("/colonnes")
    seconds["envoi"] = time.perf_counter() - began
    seconds["analyse"] = until(lambda: browser.get(url)[1].endswith("/colonnes"))
    page = browser.get(f"{url}/colonnes")[2].decode()
    began = time.perf_counter()
    browser.post(f"{url}/colonnes", columns_of(page))
    until(lambda: browser.get(url)[1].endswith("/apercu"))
    seconds["vérification"] = time.perf_counter() - began
    server.sql("checkpoint")
    began = time.perf_counter()
    browser.post(f"{url}/apercu", {})
    until(lambda: "Terminé" in browser.get(url)[2].decode())
    if "1-50 sur" not in re.sub("[\u00a0\u202f]", " ", browser.get(f"{root}/operations")[2].decode()):
        raise SystemExit("import terminé, lignes invisibles")
    seconds["confirmation"] = time.perf_counter() - began
    done = server.sql(f"select state || ' ' || (select count(*) from operations where campaign_id = '{campaign}') from imports where campaign_id = '{campaign}'")
    if not done.startswith("done"):
        raise SystemExit(f"import : {done}")
    # What follows the answer: staged lines and file removed, vacuum.
    until(lambda: server.sql("select count(*) from jobs where kind = 'import.work'") == "0")
    seconds["ménage"] = time.perf_counter() - began - seconds["confirmation"]
    return campaign, int(done.split()[1]), seconds


def again(server, campaign, file):
    """The same file once more: seconds from the upload to the end, and the rows of operations written meanwhile."""
    browser, root = Browser(server), f"/campagnes/{campaign}"
    before, began = int(server.sql("select pg_current_xact_id()")), time.perf_counter()
    url = browser.upload(f"{root}/imports", file).removesuffix("/colonnes")
    until(lambda: browser.get(url)[1].endswith("/colonnes"))
    browser.post(f"{url}/colonnes", proposed(browser.get(f"{url}/colonnes")[2].decode()))
    until(lambda: browser.get(url)[1].endswith("/apercu"))
    browser.post(f"{url}/apercu", {})
    until(lambda: "Terminé" in browser.get(url)[2].decode())
    taken = time.perf_counter() - began
    return taken, int(server.sql(f"select count(*) from operations where xmin::text::bigint >= {before} and campaign_id = '{campaign}'"))


def undo(server, campaign):
    """Seconds of « Annuler cet import » on the first import of the campaign, or of its contrary; what it removed."""
    identifier, version, state = server.sql(f"select id, version, state from imports where campaign_id = '{campaign}' order by created_at limit 1").split("|")
    browser, url = Browser(server), f"/campagnes/{campaign}/imports/{identifier}"
    began = time.perf_counter()
    browser.post(f"{url}/annulation", {"version": version})
    until(lambda: server.sql(f"select state from imports where id = '{identifier}'") == ("undone" if state == "done" else "done"))
    taken = time.perf_counter() - began
    return taken, int(server.sql(f"select coalesce(counters -> 'undo' ->> 'removed', '0') from imports where id = '{identifier}'"))


class Copy:
    """C: `COPY` of the imported rows into an empty table with the same indexes, triggers off."""

    def __init__(self, server):
        self.server, self.file = server, server.dir / "rows.copy"
        self.columns = server.sql(
            "select string_agg(quote_ident(column_name), ', ' order by ordinal_position) from information_schema.columns "
            "where table_name = 'operations' and is_generated = 'NEVER'")
        server.sql(f"\\copy (select {self.columns} from operations) to '{self.file}'")

    def seconds(self):
        self.server.sql("drop table if exists bench_copy; create table bench_copy (like operations including all) with (fillfactor = 90);"
                        "alter table bench_copy disable trigger all; checkpoint;")
        taken = self.server.timed_copy(f"\\copy bench_copy ({self.columns}) from '{self.file}'")
        self.server.sql("drop table bench_copy")
        return taken


def forget(server):
    """Back to an empty table, as C has: every round writes the same volume."""
    server.sql("truncate operations, checklists, ticks, operation_events, operation_notes, gate_passes, import_changes, import_issues, import_rejects, import_cells, import_rows; checkpoint;")


def measure(server, count, rounds, report):
    file = server.dir / "operations.csv"
    rows.make(file, count)
    server.rest = memory(server.process.pid)
    copy, parts, copies, campaign = None, [], [], None
    with Peak(server.process.pid) as peak:
        for turn in range(rounds):
            say(f"import de {count} lignes, tour {turn + 1}/{rounds}")
            if copy:
                copies.append(copy.seconds())
            forget(server)
            campaign, created, seconds = by_http(server, file, f"Import {turn}")
            parts.append(seconds)
            if not copy:
                copy = Copy(server)
                copies.append(copy.seconds())
    settled = until(lambda: server.sql(INDEX_ONLY) == "t", 30, 0.2, fatal=False)
    ratios = [p["confirmation"] / c for p, c in zip(parts, copies)]
    copy.file.unlink()
    report.raw("import", {"lignes": count, "créées": created, "tours": parts, "C (s)": copies, "comptages par l’index seul, s après": settled})
    report.ratio("import.confirm_to_visible", ratios, 2.0, "confirmation → lignes visibles / C")
    whole = [(sum(p.values()) - p["ménage"]) / c for p, c in zip(parts, copies)]
    report.note("import.upload_to_visible", whole, "envoi + analyse + vérification + confirmation / C (pour information)")
    for part in ("envoi", "analyse", "vérification", "ménage"):
        report.note(f"import.{part}", [p[part] / c for p, c in zip(parts, copies)], f"{part} / C (pour information)")
    report.limit("import.index_only_after_s", settled, 10, "fin du dernier import → comptages par l’index seul (s)")
    report.limit("import.memory_growth_mb", peak.highest - server.rest, 64, f"pic {peak.highest:.0f} Mo − repos {server.rest:.0f} Mo, PostgreSQL à part")
    return campaign, statistics.median(sum(p.values()) - p["ménage"] for p in parts), statistics.median(p["confirmation"] for p in parts)


def peak_of(server, *arguments):
    process = subprocess.Popen([BIN, *arguments], env=server.environment(OPSTRACKER_LOG="warn"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with Peak(process.pid) as peak:
        out, err = process.communicate()
    if process.returncode:
        raise SystemExit(f"opstracker {' '.join(arguments)} : {err}")
    return peak.highest, out


def million(server, source, times, report):
    """The command line on a file ten times longer: a process of its own."""
    file = server.dir / "grand.csv"
    rows.tenfold(source, file, times)
    say(f"import de {file.stat().st_size >> 20} Mo en ligne de commande")
    rest = max(peak_of(server, "migrate")[0] for _ in range(3))
    highest, out = peak_of(server, "import", "run", str(file), "--campaign", "Grand import", "--identifier", "Matricule", "--label", "Nom", "--segment", "Site", "--json")
    file.unlink()
    counted = json.loads(out)
    report.raw("grand import", counted | {"pic (Mo)": round(highest, 1), "commande vide (Mo)": round(rest, 1)})
    report.limit("import_big.memory_growth_mb", highest - rest, 64, f"{counted['read']} lignes, {counted['seconds']} s : pic {highest:.0f} Mo − commande vide {rest:.0f} Mo")
