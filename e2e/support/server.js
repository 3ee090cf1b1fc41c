// SPDX-License-Identifier: EUPL-1.2
// The real binary, alone: its own data directory, its own port, the demonstration data.
import { spawn } from "node:child_process"
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

export const BINARY = process.env.OPSTRACKER_BIN ?? new URL("../../target/release/opstracker", import.meta.url).pathname
const PATIENCE = 120_000   // a cold database, its migrations and the demonstration

/** Starts the server; resolves once it is ready, with its address and the accounts it printed. */
export async function startServer() {
  const directory = await mkdtemp(join(tmpdir(), "opstracker-e2e-"))
  if (process.getuid?.() === 0) await chmod(directory, 0o711)   // root gives its PostgreSQL to another account
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(BINARY, ["serve", "--demo-if-empty"], {
    env: {
      ...process.env,
      OPSTRACKER_DATA_DIR: directory,
      OPSTRACKER_LISTEN: `127.0.0.1:${port}`,
      OPSTRACKER_PUBLIC_URL: url,
    },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output.push(text))
  let missing = null   // no binary at all
  const ended = new Promise((resolve) => { child.on("exit", resolve); child.on("error", (error) => { missing = error; resolve() }) })

  const stop = async () => {
    child.kill("SIGTERM")
    if (await Promise.race([ended, sleep(15_000, "late", { ref: false })]) === "late") child.kill("SIGKILL")
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await ready(url, child, () => missing)
  } catch (error) {
    await stop()
    throw new Error(`${error.message}\n--- sortie du serveur ---\n${output.join("")}`)
  }
  return { url, port, directory, stop, accounts: accounts(output.join("")), output: () => output.join("") }
}

/** Lines « compte <tab> e-mail <tab> mot de passe <tab> rôles », found again by the start of the address. */
export function accounts(text) {
  const found = {}
  for (const line of text.split("\n")) {
    const [word, email, password, roles] = line.split("\t").map((field) => field.trim())
    if (word !== "compte" || !password) continue
    found[email.split("@")[0]] = { email, password, roles: roles ?? "" }
  }
  return found
}

async function ready(url, child, missing) {
  const limit = Date.now() + PATIENCE
  while (Date.now() < limit) {
    if (missing()) throw new Error(`${missing().message} : cargo build --release, ou OPSTRACKER_BIN=/chemin/du/binaire`)
    if (child.exitCode !== null || child.signalCode) throw new Error(`le serveur s'est arrêté (${child.exitCode ?? child.signalCode})`)
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => null)
    if (answer?.ok) return
    await sleep(200)
  }
  throw new Error(`le serveur n'était pas prêt après ${PATIENCE / 1000} s`)
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
