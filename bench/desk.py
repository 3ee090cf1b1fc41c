# SPDX-License-Identifier: EUPL-1.2
"""The gestionnaire's desk on 100,000 operations: a file that comes again, an undo, an action on many, a search."""
import statistics, threading, time, urllib.parse

import imports
from imports import Peak, until
from pages import Psql
from server import Browser, memory, say


def search(server, report):
    """The page of a seeded word against the trigram query alone."""
    browser, psql, ratios, raw = Browser(server), Psql(server), [], {}
    for word in ("M0012345", "lefèvre", "pc-0"):
        url = f"/recherche?{urllib.parse.urlencode({'q': word})}"
        server.sql("truncate throttle_hits")  # sixty searches a minute and a person (RG-006)
        sent = server.captured(lambda: browser.get(url))
        rows = [s for s in sent if "search_text like" in s]
        if not rows:
            raise SystemExit(f"la requête de la recherche n’a pas été vue : {sent}")
        took, bare = [], []
        for _ in range(21):
            took.append(browser.timed(url))
            bare.append(psql.seconds(rows[:1]))
        ratios.append(statistics.median(took) / statistics.median(bare))
        raw[word] = [round(statistics.median(all) * 1000, 2) for all in (took, bare)]
    psql.close()
    report.raw("recherche : page, sa requête (ms)", raw)
    report.ratio("search.page", ratios, 2.0, "page de recherche ÷ sa requête, médiane de trois mots")


def repeated(server, campaign):
    """Numbers of three fields that many operations fill with few distinct values, fewest first."""
    found = server.sql(f"""select v.key from operations o, jsonb_each_text(o.values) v where o.campaign_id = '{campaign}' and o.deleted_at is null and v.value <> ''
      group by v.key having count(*) > 1000 and count(distinct v.value) between 3 and 5000 order by count(distinct v.value), v.key limit 3""").split()
    if len(found) < 3:
        raise SystemExit(f"trois champs à filtrer étaient attendus : {found}")
    return found


def filters(server, campaign, report):
    """The list filtered by three fields of the campaign against its query by containment."""
    numbers = repeated(server, campaign)
    browser, psql, ratios, raw = Browser(server), Psql(server), [], {}
    held = ", ".join(f"values->>'{n}'" for n in numbers)
    full = " and ".join(f"values ? '{n}'" for n in numbers)
    for skipped in (100, 20_000, 60_000):
        row = server.sql(f"select {held} from operations where campaign_id = '{campaign}' and deleted_at is null and {full} order by identifier_norm offset {skipped} % (select greatest(count(*), 1) from operations where campaign_id = '{campaign}' and {full}) limit 1")
        asked = {f"champ-{n}": value for n, value in zip(numbers, row.split("|"))}
        url = f"/campagnes/{campaign}/operations?{urllib.parse.urlencode(asked)}"
        sent = server.captured(lambda: browser.get(url))
        rows = [s for s in sent if "values @>" in s]
        if not rows:
            raise SystemExit(f"la requête du filtre n’a pas été vue : {sent}")
        took, bare = [], []
        for _ in range(21):
            took.append(browser.timed(url))
            bare.append(psql.seconds(rows))
        ratios.append(statistics.median(took) / statistics.median(bare))
        raw[" / ".join(asked.values())] = [round(statistics.median(all) * 1000, 2) for all in (took, bare)]
    psql.close()
    report.raw("filtre sur trois champs : page, ses requêtes (ms)", raw)
    report.ratio("filter.three_fields", ratios, 2.0, "liste filtrée par trois champs ÷ ses requêtes par contenance, médiane de trois")


def sort(server, campaign, report):
    """The list sorted by a field declared sortable: read from its index, as fast as by label."""
    field = repeated(server, campaign)[-1]
    server.sql(f"""update campaign_fields set sortable = true where campaign_id = '{campaign}' and number = {field};
      insert into jobs (id, kind, payload, run_at) values (gen_random_uuid(), 'campaign.sort_indexes', '{{"campaign": "{campaign}"}}', now())""")
    index = f"operations_sort_{campaign.replace('-', '')}_{field}_"
    began = time.perf_counter()
    until(lambda: server.sql(f"select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid where i.indisvalid and starts_with(c.relname, '{index}')") == "1", pause=0.2)
    report.note("sort.index_seconds", [time.perf_counter() - began], "index du tri construit en arrière-plan (s, pour information)")
    browser, ratios, raw, by = Browser(server), [], {}, f"/campagnes/{campaign}/operations"
    label = [browser.timed(by) for _ in range(21)]
    for way in ("asc", "desc"):
        url = f"{by}?tri=champ-{field}&sens={way}"
        for sent in server.captured(lambda: browser.get(url)):
            if ") s (id" in sent and index not in (plan := server.sql(f"explain {sent}")):
                raise SystemExit(f"le tri ne lit pas son index : {plan}")
        took = [browser.timed(url) for _ in range(21)]
        ratios.append(statistics.median(took) / statistics.median(label))
        raw[way] = round(statistics.median(took) * 1000, 2)
    # What follows is compared with the first import, which had no such index to keep.
    server.sql(f"""update campaign_fields set sortable = false where campaign_id = '{campaign}';
      insert into jobs (id, kind, payload, run_at) values (gen_random_uuid(), 'campaign.sort_indexes', '{{"campaign": "{campaign}"}}', now())""")
    until(lambda: server.sql(f"select count(*) from pg_class where starts_with(relname, '{index}')") == "0", pause=0.2)
    report.raw("tri sur un champ (ms)", {**raw, "par libellé": round(statistics.median(label) * 1000, 2)})
    report.ratio("sort.page", ratios, 1.5, "liste triée par un champ ÷ par libellé, son index lu dans les deux sens")


def bulk(server, campaign, wanted, report):
    """Assigns some 10,000 operations; meanwhile somebody else reads the list."""
    server.sql("""insert into users (id, email, first_name, last_name, name_norm, roles)
      values (gen_random_uuid(), 'karim@ops.example', 'Karim', 'Banc', 'banc karim', '{technician}') on conflict do nothing""")
    person = server.sql("select id from users where email = 'karim@ops.example'")
    browser, other, root = Browser(server), Browser(server), f"/campagnes/{campaign}"
    listing = f"{root}/operations"
    idle = [other.timed(listing) for _ in range(20)]
    lot = browser.post(f"{root}/operations/lot", {"tout": "oui", "q": wanted, "geste": "technicien", "valeur": person})
    busy, ended = [], threading.Event()

    def read():
        while not ended.is_set():
            busy.append(other.timed(listing))

    reader = threading.Thread(target=read)
    began = time.perf_counter()
    browser.post(f"{lot}/application", {})
    reader.start()
    identifier = lot.rsplit("/", 1)[1]
    until(lambda: server.sql(f"select state from bulk_actions where id = '{identifier}'") in ("done", "cancelled"), pause=0.2)
    taken = time.perf_counter() - began
    ended.set()
    reader.join()
    changed = int(server.sql(f"select count(*) from operations where assignee_id = '{person}'"))
    report.raw("action groupée", {"modifiées": changed, "s": round(taken, 2), "liste à vide (ms)": round(statistics.median(idle) * 1000, 2), "liste pendant (ms)": round(statistics.median(busy) * 1000, 2)})
    report.limit("bulk.seconds", taken, 30.0, f"{changed} opérations assignées (s)")
    report.ratio("bulk.latency_of_others", [statistics.median(busy) / statistics.median(idle)], 4.0, "liste pendant l’action ÷ à vide, médianes")


def measure(server, campaign, first, confirm, quick, report):
    rest = memory(server.process.pid)
    search(server, report)
    say("filtres et tri sur les champs")
    filters(server, campaign, report)
    sort(server, campaign, report)
    with Peak(server.process.pid) as peak:
        say("le même fichier, encore")
        taken, written = imports.again(server, campaign, server.dir / "operations.csv")
    report.limit("reimport.rows_written", written, 0, "lignes d’opérations écrites par un fichier inchangé")
    report.ratio("reimport.unchanged", [taken / first], 1.0, f"fichier inchangé, envoi → fin, ÷ premier import ({first:.1f} s)")
    report.limit("reimport.memory_growth_mb", peak.highest - rest, 64, f"pic {peak.highest:.0f} Mo − avant {rest:.0f} Mo, PostgreSQL à part")
    say("annulation de l’import")
    undone, removed = imports.undo(server, campaign)
    report.ratio("undo.creations", [undone / first], 1.0, f"{removed} créations annulées ÷ premier import ({confirm:.1f} s de confirmation)")
    say("l’import, appliqué de nouveau")
    report.note("undo.undone", [imports.undo(server, campaign)[0] / first], "import appliqué de nouveau ÷ premier import (pour information)")
    say("action groupée")
    bulk(server, campaign, "m000" if quick else "m001", report)
