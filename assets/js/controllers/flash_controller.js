// SPDX-License-Identifier: EUPL-1.2
// « Fermer » on what just happened; the focus goes on to the page.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  dismiss() {
    this.element.remove()
    document.getElementById("contenu")?.focus({ preventScroll: true })
  }
}
