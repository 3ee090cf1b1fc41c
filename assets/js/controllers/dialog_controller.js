// SPDX-License-Identifier: EUPL-1.2
// A native modal dialog. The browser gives Escape, the focus trap and the focus back;
// `autofocus` marks the safe button. Without script, the opener is a link to a page.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  static targets = ["dialog"]
  static values = { open: Boolean }

  connect() {
    this.closeForCache = () => this.dialogTarget.close()
    document.addEventListener("turbo:before-cache", this.closeForCache)
    if (this.openValue) this.dialogTarget.showModal()
  }

  disconnect() { document.removeEventListener("turbo:before-cache", this.closeForCache) }

  open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    this.dialogTarget.showModal()
  }

  close() { this.dialogTarget.close() }

  /** On the dialog itself: a click on the backdrop closes it. */
  outside(event) { if (event.target === this.dialogTarget) this.close() }

  /** On a form of the dialog: an accepted submission closes it. */
  submitted(event) { if (event.detail.success) this.close() }
}
