// SPDX-License-Identifier: EUPL-1.2
// Typing hides the items whose `data-filter-text` does not contain every word typed (US-201.3).
import { Controller } from "../../vendor/stimulus.js"

const plain = (text) => text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase()

export default class extends Controller {
  static targets = ["input", "item", "count", "box"]
  static values = { none: String, one: String, many: String, delay: { type: Number, default: 200 } }   // many: « {n} campagnes »

  connect() { for (const box of this.boxTargets) box.hidden = false }   // of no use without script

  disconnect() { clearTimeout(this.timer) }

  filter() {
    const words = plain(this.inputTarget.value).split(/\s+/).filter(Boolean)
    let shown = 0
    for (const item of this.itemTargets) {
      const text = plain(item.dataset.filterText ?? item.textContent)
      item.hidden = !words.every((word) => text.includes(word))
      if (!item.hidden) shown += 1
    }
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.#say(shown), this.delayValue)
  }

  #say(shown) {
    const text = [this.noneValue, this.oneValue][shown] ?? this.manyValue
    this.countTarget.textContent = text.replace("{n}", shown.toLocaleString("fr-FR"))
  }
}
