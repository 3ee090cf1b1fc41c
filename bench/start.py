# SPDX-License-Identifier: EUPL-1.2
"""From exec to ready on a migrated base, PostgreSQL's own start apart; memory at rest."""
import os, statistics, subprocess, time

from server import PG_BIN, memory, say


def postgres(server):
    """Starts the program's own cluster as it would; the process, and seconds until it answers."""
    owner, run = (server.data / "pg").stat(), server.data / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    as_owner = {}
    if os.geteuid() == 0:
        os.chown(run, owner.st_uid, owner.st_gid)
        as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    command = [f"{PG_BIN}/postgres", "-D", server.data / "pg", "-k", run, "-c", "listen_addresses=", "-c", "shared_buffers=256MB", "-c", "max_connections=60"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **as_owner)
    environment = server.postgres_environment()
    while subprocess.run([f"{PG_BIN}/pg_isready", "-q"], env=environment).returncode:
        if process.poll() is not None:
            raise SystemExit("PostgreSQL ne démarre pas seul")
        time.sleep(0.005)
    return process, time.perf_counter() - began


def measure(server, rounds, report):
    whole, alone, given, rest = [], [], [], []
    server.stop()
    for turn in range(rounds):
        say(f"démarrage, tour {turn + 1}/{rounds}")
        whole.append(server.start())
        time.sleep(3)
        rest.append(memory(server.process.pid))
        server.stop()
        process, seconds = postgres(server)
        alone.append(seconds)
        given.append(server.start(DATABASE_URL=server.database_url()))
        server.stop()
        process.terminate()
        process.wait()
    report.raw("démarrage (s)", {"exec → prêt": whole, "PostgreSQL seul": alone, "exec → prêt, DATABASE_URL": given})
    report.limit("start.beyond_postgresql_s", statistics.median(w - a for w, a in zip(whole, alone)), 1.0,
                 f"exec → /readyz {statistics.median(whole):.2f} s − PostgreSQL seul {statistics.median(alone):.2f} s")
    report.limit("start.with_database_url_s", statistics.median(given), 1.0, "exec → /readyz, PostgreSQL déjà lancé (s)")
    report.limit("rest.memory_mb", max(rest), 64, "mémoire résidente 3 s après le démarrage (Mo)")
