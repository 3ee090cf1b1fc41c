// SPDX-License-Identifier: EUPL-1.2
// The ticked rows of a list: one box for the page, and how many are chosen (US-310).
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  static targets = ["all", "box", "count"]

  connect() {
    this.morphed = () => { for (const label of this.allTargets) label.hidden = false; this.count() }
    addEventListener("turbo:morph", this.morphed)
  }

  disconnect() { removeEventListener("turbo:morph", this.morphed) }

  allTargetConnected(label) { label.hidden = false }   // of no use without script
  boxTargetConnected() { this.count() }
  boxTargetDisconnected() { this.count() }

  all({ target }) {
    for (const box of this.boxTargets) box.checked = target.checked
    this.count()
  }

  count() {
    const chosen = this.boxTargets.filter((box) => box.checked).length
    const box = this.hasAllTarget && this.allTarget.querySelector("input")   // gone while the page is being replaced
    if (box) {
      box.checked = chosen > 0 && chosen === this.boxTargets.length
      box.indeterminate = chosen > 0 && !box.checked
    }
    if (!this.hasCountTarget) return
    const text = chosen === 0 ? "" : chosen === 1 ? "1 opération cochée" : `${chosen} opérations cochées`
    if (this.countTarget.textContent !== text) this.countTarget.textContent = text
  }
}
