// SPDX-License-Identifier: EUPL-1.2
// Turbo draws the pages, Stimulus gives behaviours to what they contain.
// Every action works without this file.
import "../vendor/turbo.js"
import { Application } from "../vendor/stimulus.js"
import { announce } from "./helpers/announce.js"
import { forgetFocus, rememberFocus, restoreFocus, returnFocusTo } from "./helpers/focus.js"
import { isEdited, keepsAttribute } from "./helpers/morph.js"
import { takeRefreshMark } from "./helpers/refresh.js"
import CalendarController from "./controllers/calendar_controller.js"
import CopyController from "./controllers/copy_controller.js"
import DialogController from "./controllers/dialog_controller.js"
import DisclosureController from "./controllers/disclosure_controller.js"
import DropController from "./controllers/drop_controller.js"
import FilterListController from "./controllers/filter_list_controller.js"
import FlashController from "./controllers/flash_controller.js"
import LiveController from "./controllers/live_controller.js"
import MenuController from "./controllers/menu_controller.js"
import OnceController from "./controllers/once_controller.js"
import PasswordController from "./controllers/password_controller.js"
import PopoverController from "./controllers/popover_controller.js"
import ProgressController from "./controllers/progress_controller.js"
import ReorderController from "./controllers/reorder_controller.js"
import ReturnController from "./controllers/return_controller.js"
import SelectionController from "./controllers/selection_controller.js"
import SessionController from "./controllers/session_controller.js"
import StrengthController from "./controllers/strength_controller.js"
import TickController from "./controllers/tick_controller.js"

const stimulus = Application.start()
const controllers = {
  calendar: CalendarController, copy: CopyController, dialog: DialogController, disclosure: DisclosureController, drop: DropController, "filter-list": FilterListController,
  flash: FlashController, live: LiveController, menu: MenuController, once: OnceController, password: PasswordController, popover: PopoverController,
  progress: ProgressController, reorder: ReorderController, return: ReturnController, selection: SelectionController, session: SessionController, strength: StrengthController, tick: TickController,
}
for (const [name, controller] of Object.entries(controllers)) stimulus.register(name, controller)

let submission = null                  // the outcome of a form, until its answer is drawn
let path = location.pathname           // the page on screen

addEventListener("turbo:before-fetch-request", ({ detail }) => {
  if (takeRefreshMark()) detail.fetchOptions.headers["X-Refresh"] = "1"
})
addEventListener("turbo:submit-start", ({ detail }) => returnFocusTo(detail.formSubmission.submitter?.id))   // Turbo disables it meanwhile
addEventListener("turbo:submit-end", ({ detail }) => { submission = detail.success ? "accepted" : "refused" })

addEventListener("turbo:before-morph-attribute", (event) => {
  if (keepsAttribute(event.target, event.detail.attributeName)) event.preventDefault()
})
addEventListener("turbo:before-morph-element", (event) => {
  if (submission) return                // the person asked for a new page: it comes whole
  const { newElement } = event.detail
  if (newElement ? isEdited(event.target) : event.target.matches(".flash")) event.preventDefault()
})

addEventListener("turbo:before-render", rememberFocus)
addEventListener("turbo:render", () => {
  const moved = path !== location.pathname
  const flash = document.querySelector("[data-announce]")?.textContent.trim().replace(/\s+/g, " ")
  const errors = submission === "refused" && document.querySelector(".summary-errors")
  if (errors) errors.focus()
  if (moved && !errors) forgetFocus()
  restoreFocus()
  if (submission || moved) announce([moved && document.title, flash].filter(Boolean).join(". "))
  path = location.pathname
  submission = null
})

// A list is found again where it was left: see the "return" controller.
addEventListener("turbo:before-visit", () => sessionStorage.setItem(`scroll:${location.pathname}`, String(scrollY)))
