// SPDX-License-Identifier: EUPL-1.2
// kill -9 of the program, then of PostgreSQL, ten times each under writes: no accepted action is
// lost, and the next start needs no hand.
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { accounts } from "../support/server.js"

const BINARY = process.env.OPSTRACKER_BIN ?? new URL("../../target/release/opstracker", import.meta.url).pathname
const TIMES = 10
let directory, port, url, child, ended, output = "", cookie, campaign
const accepted = []

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "opstracker-kill-"))
  await chmod(directory, 0o711)   // as root, PostgreSQL runs under another account
  port = await freePort()
  url = `http://127.0.0.1:${port}`
  await start()
  const { email, password } = accounts(output)["sophie.martin"]
  const answer = await post("/connexion", { email, mot_de_passe: password }, false)
  cookie = answer.headers.getSetCookie().map((c) => c.split(";")[0]).find((c) => c.includes("session"))
  assert.ok(cookie, `signed in: ${answer.status}`)
  const page = await get("/campagnes")
  campaign = /href="(\/campagnes\/[0-9a-f-]{36})[^"]*"[^>]*>\s*Migration Windows 11/.exec(page)?.[1]
  assert.ok(campaign, "the campaign is on the portfolio")
})

after(async () => {
  child?.kill("SIGKILL")
  await sleep(500)
  await rm(directory, { recursive: true, force: true, maxRetries: 10 })
})

test("the program is killed ten times under writes", { timeout: 300_000 }, async () => {
  for (let n = 1; n <= TIMES; n++) {
    const writing = write(`P${n}`)
    await sleep(300 + Math.random() * 500)
    child.kill("SIGKILL")
    await ended
    await writing.stop()
    await start()
    await nothingLost()
  }
  console.log(`programme tué ${TIMES} fois, ${accepted.length} écritures acceptées, aucune perdue`)
})

test("PostgreSQL is killed ten times under writes and comes back by itself", { timeout: 300_000 }, async () => {
  for (let n = 1; n <= TIMES; n++) {
    const writing = write(`D${n}`)
    await sleep(300 + Math.random() * 500)
    const pid = Number((await readFile(join(directory, "pg/postmaster.pid"), "utf8")).split("\n")[0])
    process.kill(pid, "SIGKILL")
    await sleep(200)
    await writing.stop()
    await ready()
    // Six deaths in a minute are more than an accident: the supervisor would rightly give up.
    if (n < TIMES) await sleep(13_000)
    await nothingLost()
  }
  assert.equal(child.exitCode, null, "the program itself never stopped")
  console.log(`PostgreSQL tué ${TIMES} fois, ${accepted.length} écritures acceptées, aucune perdue`)
})

test("the program is killed at each stage of an import, which ends all the same", { timeout: 300_000 }, async () => {
  const rows = 20_000
  const file = "Matricule;Nom;Poste\r\n" + Array.from({ length: rows }, (_, i) => `K${i};NOM ${i};PC-${i}`).join("\r\n")
  const form = new FormData()
  form.set("fichier", new Blob([file]), "parc.csv")
  const sent = await fetch(`${url}${campaign}/imports`, { method: "POST", body: form, redirect: "manual", headers: { origin: url, cookie } })
  const at = sent.headers.get("location").replace("/colonnes", "")
  await killAfter(100)                                   // while the file is read
  const page = await until(`${at}/colonnes`, (text) => text.includes("Correspondance des colonnes"))
  const choices = Object.fromEntries([...page.matchAll(/<select[^>]* name="(colonne-\d+)"[\s\S]*?value="([^"]*)" selected/g)].map((m) => [m[1], m[2]]))
  assert.equal((await post(`${at}/colonnes`, choices)).status, 303)
  await killAfter(150)                                   // while the lines are checked
  await until(`${at}/apercu`, (text) => text.includes("Importer 20"))
  assert.equal((await post(`${at}/apercu`, {})).status, 303)
  await killAfter(250)                                   // while they are written
  const result = await until(at, (text) => text.includes("interventions créées"))
  assert.match(result.replace(/[\u00a0\u202f]/g, " "), /20 000 interventions créées/)
})

async function killAfter(ms) {
  await sleep(ms)
  child.kill("SIGKILL")
  await ended
  await start()
}

async function until(path, found) {
  for (let i = 0; i < 600; i++) {
    const text = await get(path)
    if (found(text)) return text
    await sleep(200)
  }
  throw new Error(`${path} : attendu en vain\n${output.slice(-2000)}`)
}

/** Adds operations one after the other; those answered 303 are accepted. */
function write(prefix) {
  let going = true, n = 0
  const done = (async () => {
    while (going) {
      const identifier = `${prefix}-${n++}`
      const answer = await post(`${campaign}/operations/nouvelle`, { "champ-1": identifier, "champ-2": `NOM ${identifier}` }).catch(() => null)
      if (answer?.status === 303) accepted.push(identifier)
      else await sleep(20)
    }
  })()
  return { stop: async () => { going = false; await done } }
}

async function nothingLost() {
  const missing = []
  for (const identifier of accepted.slice(-40)) {
    const page = await get(`${campaign}/operations?q=${identifier}`)
    if (!page.includes(`NOM ${identifier}<`)) missing.push(identifier)
  }
  assert.deepEqual(missing, [], "every accepted operation is there")
  assert.ok(accepted.length > 0, "something was accepted")
}

async function start() {
  child = spawn(BINARY, ["serve", "--demo-if-empty"], {
    env: { ...process.env, DATABASE_URL: "", OPSTRACKER_DATA_DIR: directory, OPSTRACKER_LISTEN: `127.0.0.1:${port}`, OPSTRACKER_PUBLIC_URL: url },
    stdio: ["ignore", "pipe", "pipe"],
  })
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => { output += text })
  ended = new Promise((resolve) => child.on("exit", resolve))
  await ready()
}

async function ready() {
  for (let i = 0; i < 600; i++) {
    if (child.exitCode !== null) throw new Error(`le programme s'est arrêté\n${output}`)
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => null)
    if (answer?.ok) return
    await sleep(100)
  }
  throw new Error(`pas prêt\n${output}`)
}

async function get(path) {
  const answer = await fetch(url + path, { headers: { cookie }, redirect: "manual" })
  return answer.text()
}

function post(path, fields, signedIn = true) {
  return fetch(url + path, {
    method: "POST",
    redirect: "manual",
    headers: { origin: url, "content-type": "application/x-www-form-urlencoded", ...(signedIn ? { cookie } : {}) },
    body: new URLSearchParams(fields),
    signal: AbortSignal.timeout(10_000),
  })
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
