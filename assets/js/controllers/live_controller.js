// SPDX-License-Identifier: EUPL-1.2
// The page follows a stream that only says « changed », and refreshes itself (RG-040, RG-042).
import { Controller } from "../../vendor/stimulus.js"
import { announce } from "../helpers/announce.js"
import { refresh } from "../helpers/refresh.js"

const FREED = ["focusout", "close", "toggle", "popover:closed", "visibilitychange", "turbo:load"]   // a refresh put off may now be possible

export default class extends Controller {
  static values = {
    url: String,
    on: { type: String, default: "En direct" },
    off: { type: String, default: "Connexion perdue, actualisation toutes les 30\u00a0s" },
    paused: { type: String, default: "Mises à jour suspendues" },
    pause: { type: String, default: "Suspendre les mises à jour" },
    resume: { type: String, default: "Reprendre les mises à jour" },
    announce: String,
    debounce: { type: Number, default: 250 },
    poll: { type: Number, default: 30_000 },
    quiet: { type: Number, default: 10_000 },
  }
  static targets = ["state", "button", "announce"]

  connect() {
    this.morphed = () => { this.#show(); this.#say() }
    this.freed = () => { if (this.late) this.#schedule() }
    addEventListener("turbo:morph", this.morphed)
    for (const event of FREED) document.addEventListener(event, this.freed, true)
    this.#listen()
  }

  disconnect() {
    removeEventListener("turbo:morph", this.morphed)
    for (const event of FREED) document.removeEventListener(event, this.freed, true)
    this.#stop()
  }

  toggle() {
    if (this.state === "paused") { this.#listen(); this.#schedule() } else { this.#stop(); this.#become("paused") }
    announce(this.state === "paused" ? this.pausedValue : this.buttonTarget.textContent)
  }

  #listen() {
    this.#become("connecting")
    this.#open()
  }

  #open() {
    this.source = new EventSource(this.urlValue)
    this.source.addEventListener("open", () => {
      const back = this.state === "off"
      clearInterval(this.polling)
      this.#become("on")
      if (back) this.#schedule()       // whatever was missed while away
    })
    this.source.addEventListener("changed", () => this.#schedule())
    this.source.addEventListener("error", () => this.#lost())
  }

  // The browser reconnects by itself with the last event id, unless the server refused.
  #lost() {
    if (this.state === "off") return
    this.#become("off")
    this.polling = setInterval(() => {
      this.#schedule()
      if (this.source.readyState === EventSource.CLOSED) this.#open()
    }, this.pollValue)
  }

  #schedule() {
    clearTimeout(this.timer)
    this.late = true
    this.timer = setTimeout(() => { this.late = !refresh() }, this.debounceValue)
  }

  #stop() {
    clearTimeout(this.timer)
    clearInterval(this.polling)
    this.source?.close()
    this.late = false
  }

  #become(state) { this.state = state; this.#show() }

  #show() {
    this.element.dataset.state = this.state
    if (this.hasStateTarget) this.stateTarget.textContent = { on: this.onValue, off: this.offValue, paused: this.pausedValue }[this.state] ?? ""
    if (!this.hasButtonTarget) return
    this.buttonTarget.hidden = false
    this.buttonTarget.textContent = this.state === "paused" ? this.resumeValue : this.pauseValue
  }

  #say() {
    const text = this.hasAnnounceTarget ? this.announceTarget.textContent.trim() : this.announceValue
    if (!text || text === this.said || Date.now() - (this.saidAt ?? 0) < this.quietValue) return
    this.said = text
    this.saidAt = Date.now()
    announce(text)
  }
}
