// SPDX-License-Identifier: EUPL-1.2
//! A button of the technician: one transition, done at once or after a small form (US-403).
use crate::{
    web::Result,
    workflows::{Category, DateMode, ReasonMode, Transition, Workflow},
};

#[derive(Clone, Debug)]
pub struct Gesture {
    pub code: String,
    pub label: String,
    pub icon: &'static str,
    /// It opens a form first: a reason, a date, mandatory steps that are not ticked.
    pub asks: bool,
    finishes: bool,
}

impl Gesture {
    /// The main gesture is one click whenever it can be: an optional reason does not stop it.
    pub fn new(transition: &Transition, workflow: &Workflow, is_main: bool) -> Result<Self> {
        let to = workflow.status(transition.to)?.category;
        let takes_date = matches!(transition.date, DateMode::Optional | DateMode::Required);
        let takes_reason = match transition.reason {
            ReasonMode::None => false,
            ReasonMode::Optional => !is_main,
            ReasonMode::Required => true,
        };
        let icon = if to == Category::Todo { Category::Planned.icon() } else { to.icon() };
        Ok(Self {
            code: transition.code.clone(),
            label: transition.label.clone(),
            icon,
            asks: takes_date || takes_reason,
            finishes: to == Category::Done,
        })
    }

    /// Finishing with mandatory steps that are not ticked is asked about first (RG-036).
    pub fn with_open_steps(self, open: bool) -> Self {
        Self { asks: self.asks || (open && self.finishes), ..self }
    }
}
