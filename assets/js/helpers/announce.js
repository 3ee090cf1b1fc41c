// SPDX-License-Identifier: EUPL-1.2
/** Says a text in a live region of the shell; the same text twice is said twice. */
export function announce(text, region = "live-polite") {
  const element = document.getElementById(region)
  if (!element || !text) return
  element.textContent = ""
  setTimeout(() => { element.textContent = text }, 50)
}
