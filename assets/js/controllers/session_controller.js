// SPDX-License-Identifier: EUPL-1.2
// Five minutes before the session ends, a dialog offers to stay signed in (RG-007).
import { Controller } from "../../vendor/stimulus.js"
import { announce } from "../helpers/announce.js"

export default class extends Controller {
  static targets = ["dialog", "text"]
  static values = { expires: String, url: String, failed: String, warning: { type: Number, default: 300_000 } }

  disconnect() { clearTimeout(this.timer) }

  // Each page, and each answer to `stay`, carries the new instant.
  expiresValueChanged() {
    clearTimeout(this.timer)
    const wait = Date.parse(this.expiresValue) - Date.now() - this.warningValue
    if (Number.isNaN(wait)) return
    this.timer = setTimeout(() => this.#warn(), Math.min(Math.max(wait, 0), 2 ** 31 - 1))
  }

  async stay() {
    try {
      const answer = await fetch(this.urlValue, { method: "POST", redirect: "error" })
      if (!answer.ok) throw new Error(String(answer.status))
      this.expiresValue = (await answer.text()).trim()
      this.dialogTarget.close()
    } catch {
      this.textTarget.textContent = this.failedValue
    }
  }

  #warn() {
    if (this.dialogTarget.open) return
    this.dialogTarget.showModal()
    announce(this.textTarget.textContent, "live-assertive")
  }
}
