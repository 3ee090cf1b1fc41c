# SPDX-License-Identifier: EUPL-1.2
"""The program under test, its private PostgreSQL, and the ways to both."""
import contextlib, hashlib, http.client, os, pathlib, re, secrets, shutil, signal, socket, subprocess, tempfile, time
import urllib.parse

BIN = os.environ["OPSTRACKER_BIN"]
PG_BIN = os.environ["OPSTRACKER_PG_BIN"]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def say(text):
    print(f"→ {text}", file=os.sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def memory(pid, what="VmRSS"):
    """Mebibytes, from /proc; 0 once the process is gone."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) / 1024
    return 0.0


class Server:
    """`opstracker serve` on a data directory of its own; PostgreSQL with fsync, on its socket only."""

    def __init__(self):
        base = os.environ.get("BENCH_TMP", "/var/tmp")
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="opstracker-bench-", dir=base))
        self.dir.chmod(0o711)  # PostgreSQL runs as another account when we are root
        self.data = self.dir / "data"
        self.port = free_port()
        self.log = self.dir / "serve.log"
        self.process = None
        self.token = secrets.token_hex(32)

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DATABASE_URL", "OPSTRACKER_"))}
        return kept | {
            "OPSTRACKER_DATA_DIR": str(self.data), "OPSTRACKER_LISTEN": f"127.0.0.1:{self.port}", "OPSTRACKER_PG_BIN": PG_BIN,
            "OPSTRACKER_LOG": "warn,postgresql=debug", "NO_COLOR": "1",
        } | more

    def start(self, **more):
        """Seconds from exec to /readyz = 200."""
        began = time.perf_counter()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BIN, "serve"], env=self.environment(**more), stdout=log, stderr=log)
        while not self.is_ready():
            if self.process.poll() is not None or time.perf_counter() - began > 60:
                raise SystemExit(f"opstracker ne démarre pas :\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.005)
        return time.perf_counter() - began

    def is_ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    # PostgreSQL ------------------------------------------------------------------------------
    def postgres_environment(self):
        password = (self.data / "pg.password").read_text().strip()
        host = str((self.data / "run").resolve())
        return self.environment(PGHOST=host, PGPORT="5432", PGUSER="opstracker", PGDATABASE="opstracker", PGPASSWORD=password)

    def database_url(self):
        e = self.postgres_environment()
        return f"postgres://opstracker:{urllib.parse.quote(e['PGPASSWORD'])}@localhost/opstracker?host={urllib.parse.quote(e['PGHOST'], safe='')}"

    def sql(self, text):
        """The rows, one a line, columns separated by `|`."""
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        done = subprocess.run(command, input=text, env=self.postgres_environment(), capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"psql : {done.stderr}\n{text[:2000]}")
        return done.stdout.strip()

    def timed_copy(self, statement):
        """Seconds of one statement as psql measures it."""
        return float(re.search(r"Time: ([\d.]+) ms", self.sql(f"\\timing on\n{statement}\n"))[1]) / 1000

    def pgbench(self, script, clients, seconds):
        """Transactions a second."""
        path = self.dir / "script.sql"
        path.write_text(script)
        command = ["pgbench", "-n", "-M", "prepared", f"-c{clients}", f"-j{min(clients, 2)}", f"-T{seconds}", "-f", str(path)]
        done = subprocess.run(command, env=self.postgres_environment(), capture_output=True, text=True)
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        if done.returncode or not found:
            raise SystemExit(f"pgbench : {done.stderr}\n{script}")
        return float(found[1])

    # People and pages ------------------------------------------------------------------------
    def sign_in(self):
        """A session of an administrator, written in the base: no password is hashed."""
        digest = hashlib.sha256(self.token.encode()).hexdigest()
        self.sql(f"""
          with u as (insert into users (id, email, first_name, last_name, name_norm, roles)
                     values (gen_random_uuid(), 'mesure@ops.example', 'Mesure', 'Banc', 'banc mesure', '{{admin,campaign_manager}}')
                     returning id, security_stamp)
          insert into sessions (token_hash, user_id, security_stamp, created_at, seen_at, expires_at)
          select '\\x{digest}', id, security_stamp, now(), now(), now() + interval '8 hours' from u;""")

    @property
    def cookie(self):
        return f"opstracker-session={self.token}"

    def campaign(self, name):
        """A running campaign « Migration PC Windows 11 », as the command line makes one."""
        return self.sql(f"""
          with c as (insert into campaigns (id, name, name_norm, type_id, start_date, end_date, owner_id, workflow_version_id, activated_at, status, wizard_step)
                     select gen_random_uuid(), '{name}', lower('{name}'), t.id, current_date - 10, current_date + 200, (select id from users limit 1),
                            (select v.id from workflow_versions v where v.workflow_id = t.workflow_id order by v.number desc limit 1), now(), 'running', 5
                     from operation_types t order by t.position limit 1 returning id, type_id),
               f as (insert into campaign_fields (id, campaign_id, number, label, label_norm, kind, required, searchable, in_list, pattern, hint, choices, usages, position)
                     select gen_random_uuid(), c.id, t.position, t.label, translate(lower(t.label), 'éèê', 'eee'), t.kind, t.required, t.searchable, t.in_list,
                            t.pattern, t.hint, t.choices, t.usages, t.position
                     from type_fields t join c on c.type_id = t.type_id)
          select id from c;""")

    def browser(self):
        return Browser(self)

    # What the program really sends -------------------------------------------------------------
    def captured(self, request, tries=7, pause=0.0):
        """The statements of one request, from the log of PostgreSQL: the shortest of several tries, so
        that what the background loops sent meanwhile is not counted."""
        self.sql("alter system set log_statement = 'all'; select pg_reload_conf();")
        time.sleep(0.3)
        found = []
        for _ in range(tries):
            time.sleep(pause)
            time.sleep(0.05)
            begin = self.log.stat().st_size
            request()
            time.sleep(0.1)
            with open(self.log, "rb") as log:
                log.seek(begin)
                found.append(statements(log.read().decode(errors="replace")))
        self.sql("alter system reset log_statement; select pg_reload_conf();")
        time.sleep(0.3)
        return min(found, key=lambda all: (len(all) == 0, len(all)))


BACKGROUND = re.compile(r"\b(live_events|jobs|messages|workers|pg_reload_conf|throttle_hits|schedule_marks)\b")


def statements(log):
    """SQL with its parameters written in, in the order of sending."""
    found, kind = [], None
    for line in ANSI.sub("", log).splitlines():
        text = line.split("postgresql: ", 1)[-1]
        head = re.match(r"\S+ \S+ \S+ \[\d+\] (LOG|DETAIL): +(.*)", text)
        if head and head[1] == "LOG":
            sent = re.match(r"execute [^:]*: (.*)", head[2])
            kind = "sql" if sent else None
            if sent:
                found.append(sent[1])
        elif head and kind and head[2].startswith("parameters: "):
            found[-1] = written(found[-1], head[2].removeprefix("parameters: "))
            kind = None
        elif not head and kind == "sql" and "postgresql: " in line:
            found[-1] += " " + text.strip()
    return [s for s in found if not BACKGROUND.search(s)]


def written(sql, parameters):
    """The parameters as literals of the type that their look tells."""
    values = {int(n): value for n, value in re.findall(r"\$(\d+) = ('(?:[^']|'')*'|NULL)", parameters)}

    def literal(match):
        value = values.get(int(match[1]), "NULL")
        uuid = r"[0-9a-f]{8}-[0-9a-f-]{27}"
        for pattern, kind in [(rf"'{uuid}'", "uuid"), (rf"'\{{({uuid},?)+\}}'", "uuid[]"), (r"'\\x[0-9a-f]*'", "bytea"),
                              (r"'\{[\d,]+\}'", "int[]"), (r"'\d+'", "int"), (r"'\d{4}-\d\d-\d\d \d\d:.*'", "timestamptz")]:
            if re.fullmatch(pattern, value):
                return f"{value}::{kind}"
        return value

    return re.sub(r"\$(\d+)", literal, sql)


def errors(page):
    """What a refused form says, without its markup."""
    text = page.decode(errors="replace").partition("<main")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))[:1500]


class Browser:
    """One keep-alive connection of the signed-in person."""

    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)

    def ask(self, method, path, body=None, **headers):
        origin = f"http://127.0.0.1:{self.server.port}"
        sent = {"Cookie": self.server.cookie, "Origin": origin} | {k.replace("_", "-"): v for k, v in headers.items()}
        self.connection.request(method, path, body=body, headers=sent)
        answer = self.connection.getresponse()
        return answer.status, answer.getheader("Location") or "", answer.read()

    def get(self, path, **headers):
        status, location, body = self.ask("GET", path, **headers)
        if status >= 400:
            raise SystemExit(f"GET {path} : {status}\n{body[:500]!r}")
        return status, location, body

    def timed(self, path):
        began = time.perf_counter()
        self.get(path)
        return time.perf_counter() - began

    def post(self, path, fields):
        body = urllib.parse.urlencode(fields)
        status, location, answer = self.ask("POST", path, body, Content_Type="application/x-www-form-urlencoded")
        if status != 303:
            raise SystemExit(f"POST {path} : {status}\n{errors(answer)}")
        return location

    def upload(self, path, file):
        edge = "----opstracker-bench"
        head = f'--{edge}\r\nContent-Disposition: form-data; name="fichier"; filename="{file.name}"\r\nContent-Type: text/csv\r\n\r\n'
        body = head.encode() + file.read_bytes() + f"\r\n--{edge}--\r\n".encode()
        status, location, answer = self.ask("POST", path, body, Content_Type=f"multipart/form-data; boundary={edge}")
        if status != 303:
            raise SystemExit(f"POST {path} : {status}\n{errors(answer)}")
        return location
