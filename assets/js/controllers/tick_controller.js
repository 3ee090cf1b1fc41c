// SPDX-License-Identifier: EUPL-1.2
// A step of a checklist: its box sends its form, which says what the step must become.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  send() { this.element.requestSubmit() }
}
