// SPDX-License-Identifier: EUPL-1.2
// Refreshes the page every second while something runs; the server says when it is over.
import { Controller } from "../../vendor/stimulus.js"
import { refresh } from "../helpers/refresh.js"

export default class extends Controller {
  static values = { running: Boolean, every: { type: Number, default: 1000 } }

  disconnect() { clearInterval(this.timer) }

  runningValueChanged() {
    clearInterval(this.timer)
    if (this.runningValue) this.timer = setInterval(refresh, this.everyValue)
  }
}
