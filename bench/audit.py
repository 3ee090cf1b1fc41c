# SPDX-License-Identifier: EUPL-1.2
"""The audit of a million entries: its pages under each filter, its sealing, its verification (L-15)."""
import statistics, time, urllib.parse

from pages import Psql
from server import Browser, say

AUDIT = "/administration/audit"


def fill(server, entries):
    """Two years of entries of a hundred people on a thousand objects; the queue is filled by its trigger."""
    server.sql(f"""
      insert into users (id, email, first_name, last_name, name_norm, roles)
      select gen_random_uuid(), 'audit' || n || '@ops.example', 'Agent', 'N' || n, 'n' || n || ' agent', '{{technician}}' from generate_series(1, 100) n;
      with people as (select array_agg(id) as ids from users), objects as (select array_agg(gen_random_uuid()) as ids from generate_series(1, 1000))
      insert into audit_entries (at, actor_kind, actor_id, action, object_kind, object_id, changes)
      select now() - interval '2 years' + interval '2 years' * n / {entries}, 'user', people.ids[1 + n % 101],
             (array['operation.moved','operation.planned','operation.assigned','session.opened','campaign.edited','grant.given'])[1 + n % 6],
             (array['operation','operation','operation','user','campaign','grant'])[1 + n % 6], objects.ids[1 + n % 1000], '{{"status": [1, 2]}}'
      from generate_series(1, {entries}) n, people, objects;
      analyze audit_entries;""")


def keyset(statements):
    """The one statement that finds the rows, among those of the page."""
    found = [s for s in statements if "from audit_entries a left join users" in s]
    if not found:
        raise SystemExit(f"la requête des entrées n’a pas été vue : {statements}")
    return found[0]


def pages(server, report):
    person = server.sql("select actor_id from audit_entries where actor_id is not null order by seq offset 1000 limit 1")
    old = server.sql("select to_char(min(at) + interval '30 days', 'DD/MM/YYYY') from audit_entries")
    micros, seq = server.sql("select (extract(epoch from at) * 1000000)::bigint, seq from audit_entries order by at offset 500 limit 1").split("|")
    filters = {"tout": {}, "auteur": {"auteur": person}, "action": {"action": "grant.given"}, "objet": {"objet": "campaign"},
               "auteur et action": {"auteur": person, "action": "session.opened"}, "période ancienne": {"au": old},
               "rien": {"action": "campaign.archived"}, "dernière page": {"avant": f"{micros}-{seq}"}}
    browser, psql, times, ratios, whole = Browser(server), Psql(server), {}, {}, {}
    for name, pairs in filters.items():
        say(f"journal : {name}")
        url = f"{AUDIT}?{urllib.parse.urlencode(pairs)}"
        sent = server.captured(lambda: browser.get(url))
        row = keyset(sent)
        took, raw, every = [], [], []
        for _ in range(21):
            took.append(browser.timed(url))
            raw.append(psql.seconds([row]))
            every.append(psql.seconds(sent))
        times[name] = sorted(took)[19] * 1000
        ratios[name] = statistics.median(took) / statistics.median(raw)
        whole[name] = statistics.median(took) / statistics.median(every)
    psql.close()
    rounded = lambda all: {name: round(value, 2) for name, value in all.items()}
    report.raw("journal : P95 (ms)", rounded(times))
    report.raw("journal : page ÷ sa requête d’entrées", rounded(ratios))
    report.raw("journal : page ÷ toutes ses requêtes", rounded(whole))
    report.limit("audit.page_p95_ms", max(times.values()), 500, f"page du journal, P95 (ms), le pire filtre : {max(times, key=times.get)}")
    report.note("audit.page_to_keyset", list(ratios.values()), "page ÷ sa requête d’entrées, médiane des filtres (pour information)")
    report.ratio("audit.page_to_its_sql", list(whole.values()), 1.5, "page ÷ toutes ses requêtes, médiane des filtres")


def measure(server, entries, report):
    say(f"journal de {entries} entrées")
    fill(server, entries)
    began = time.perf_counter()
    while server.sql("select exists (select from audit_unsealed)") == "t":
        time.sleep(0.5)
    sealing = time.perf_counter() - began
    server.sql("vacuum (analyze) audit_entries, audit_seals, audit_unsealed")
    pages(server, report)
    say("vérification")
    browser, began = Browser(server), time.perf_counter()
    page = browser.post(f"{AUDIT}/verifications", {})
    while "Chaîne intègre" not in (text := browser.get(page)[2].decode()):
        if "Chaîne rompue" in text:
            raise SystemExit("la chaîne est rompue")
        time.sleep(0.2)
    walking = time.perf_counter() - began
    report.raw("journal (s)", {"entrées": entries, "scellement": round(sealing, 1), "vérification": round(walking, 1)})
    report.note("audit.sealed_per_s", [entries / max(sealing, 0.001)], "entrées scellées par seconde, attente comprise")
    report.note("audit.verified_per_s", [entries / walking], "entrées vérifiées par seconde")
