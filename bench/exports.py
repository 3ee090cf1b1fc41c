# SPDX-License-Identifier: EUPL-1.2
"""Exports of a campaign of 100,000 operations: when they begin, when they end, what they hold in memory."""
import time
import urllib.parse

from imports import Peak, until
from server import Browser, memory, say


def csv(server, path):
    """Seconds to the first byte and to the last, and the size."""
    browser = Browser(server)
    origin = f"http://127.0.0.1:{server.port}"
    body = urllib.parse.urlencode({"format": "csv", "colonnes": "toutes"})
    began = time.perf_counter()
    browser.connection.request("POST", path, body=body, headers={"Cookie": server.cookie, "Origin": origin, "Content-Type": "application/x-www-form-urlencoded"})
    answer = browser.connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"export CSV : {answer.status}")
    size = len(answer.read(1))
    first = time.perf_counter() - began
    while block := answer.read(1 << 16):
        size += len(block)
    return first, time.perf_counter() - began, size


def book(server, path, kind):
    """Seconds to the page of the job, and to the file."""
    browser = Browser(server)
    began = time.perf_counter()
    page = browser.post(path, {"format": kind, "colonnes": "toutes"})
    browser.get(page)
    shown = time.perf_counter() - began
    until(lambda: "Le fichier est prêt" in browser.get(page)[2].decode())
    ready = time.perf_counter() - began
    return shown, ready, len(browser.get(f"{page}/fichier")[2])


def measure(server, campaign, report):
    path = f"/campagnes/{campaign}/operations/export"
    rest = memory(server.process.pid)
    raw = {}
    with Peak(server.process.pid) as peak:
        say("export CSV")
        raw["csv"] = first, whole, _ = csv(server, path)
        say("export XLSX")
        raw["xlsx"] = shown, ready, _ = book(server, path, "xlsx")
        say("export ODS")
        raw["ods"] = _, ods, _ = book(server, path, "ods")
    report.raw("exports (s, s, octets)", raw)
    report.limit("export.csv_first_byte_s", first, 1.0, f"POST → premier octet du CSV (s) ; entier en {whole:.1f} s")
    report.limit("export.xlsx_page_s", shown, 1.0, "POST → page de l’export (s)")
    report.limit("export.xlsx_ready_s", ready, 30.0, "POST → classeur XLSX prêt (s)")
    report.limit("export.ods_ready_s", ods, 30.0, "POST → classeur ODS prêt (s)")
    report.limit("export.memory_growth_mb", peak.highest - rest, 32, f"pic {peak.highest:.0f} Mo − avant {rest:.0f} Mo, PostgreSQL à part")
