// SPDX-License-Identifier: EUPL-1.2
//! What a checklist asks: phases and steps in their order (RG-030), as a draft holds it and as a
//! published version keeps it. A step keeps its identity from a version to the next.
use crate::text::norm;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use uuid::Uuid;

pub const MAX_PHASES: usize = 30;
pub const MAX_STEPS: usize = 200;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    pub phases: Vec<Phase>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    pub id: Uuid,
    /// Empty for the one phase of a checklist that has none (RG-030).
    pub label: String,
    /// « Verrouiller tant que la phase précédente n'est pas complète » (RG-032).
    pub locked: bool,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub id: Uuid,
    pub label: String,
    pub description: String,
    pub required: bool,
    /// Estimated minutes as typed, 1 to 1 440; empty when nothing is said.
    pub minutes: String,
    /// The label of the campaign's field that ticking the step fills (US-509); empty for none.
    pub capture: String,
}

/// What keeps a draft from being published, and the place to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    pub anchor: String,
}

impl Phase {
    /// A phase to fill in, under an identity of its own.
    pub fn blank() -> Self {
        Self { id: Uuid::now_v7(), label: String::new(), locked: false, steps: Vec::new() }
    }
}

impl Step {
    /// A mandatory step to fill in, under an identity of its own.
    pub fn blank() -> Self {
        Self {
            id: Uuid::now_v7(),
            label: String::new(),
            description: String::new(),
            required: true,
            minutes: String::new(),
            capture: String::new(),
        }
    }
}

impl Definition {
    /// One phase and one step to fill in: where a new template starts.
    pub fn starting() -> Self {
        Self { phases: vec![Phase { steps: vec![Step::blank()], ..Phase::blank() }] }
    }

    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.phases.iter().flat_map(|phase| &phase.steps)
    }

    /// The steps that must be ticked, or the others.
    pub fn ids(&self, required: bool) -> Vec<Uuid> {
        self.steps().filter(|step| step.required == required).map(|step| step.id).collect()
    }

    /// The same content under new identities: a duplicated template is another one.
    pub fn renewed(mut self) -> Self {
        for phase in &mut self.phases {
            phase.id = Uuid::now_v7();
            phase.steps.iter_mut().for_each(|step| step.id = Uuid::now_v7());
        }
        self
    }

    /// Everything that forbids publishing; empty when valid (US-503.3).
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut say = |message: String, anchor: String| faults.push(Fault { message, anchor });
        if self.steps().next().is_none() {
            say("Ajoutez au moins une étape".into(), "phases".into());
        }
        if self.steps().count() > MAX_STEPS || self.phases.len() > MAX_PHASES {
            say(
                format!("Un modèle compte au plus {MAX_PHASES} phases et {MAX_STEPS} étapes"),
                "phases".into(),
            );
        }
        let (mut names, mut ids) = (HashSet::new(), HashSet::new());
        for (p, phase) in self.phases.iter().enumerate() {
            let anchor = format!("p-{p}-nom");
            if phase.label.is_empty() && self.phases.len() > 1 {
                say(format!("La phase {} n’a pas de nom", p + 1), anchor);
            } else if phase.label.chars().count() > 100 {
                say(format!("Le nom de la phase {} dépasse 100 caractères", p + 1), anchor);
            } else if !phase.label.is_empty() && !names.insert(norm(&phase.label)) {
                say(format!("Deux phases s’appellent « {} »", phase.label), anchor);
            }
            if phase.steps.is_empty() {
                say(format!("La phase {} n’a pas d’étape", p + 1), format!("p-{p}"));
            }
            for (s, step) in phase.steps.iter().enumerate() {
                step.faults(&format!("p-{p}-e-{s}"), &mut say);
                if !ids.insert(step.id) {
                    say(
                        "Deux étapes ont la même identité : retirez-en une".into(),
                        format!("p-{p}"),
                    );
                }
            }
        }
        faults
    }

    /// What changed since `before`, in French sentences (US-504.5).
    pub fn differences(&self, before: &Self) -> Vec<String> {
        let mut said = Vec::new();
        let find = |definition: &Self, id: Uuid| {
            definition.phases.iter().find_map(|phase| {
                let at = phase.steps.iter().position(|step| step.id == id)?;
                Some((phase.clone(), at, phase.steps[at].clone()))
            })
        };
        for phase in &self.phases {
            match before.phases.iter().find(|known| known.id == phase.id) {
                None => said.push(format!("Phase « {} » ajoutée", phase.label)),
                Some(known) => {
                    if known.label != phase.label {
                        said.push(format!(
                            "Phase « {} » renommée « {} »",
                            known.label, phase.label
                        ));
                    }
                    if known.locked != phase.locked {
                        let how = if phase.locked { "verrouillée" } else { "déverrouillée" };
                        said.push(format!("Phase « {} » {how}", phase.label));
                    }
                }
            }
            for (at, step) in phase.steps.iter().enumerate() {
                match find(before, step.id) {
                    None => said.push(format!("Étape « {} » ajoutée", step.label)),
                    Some((from, was, known)) => {
                        said.extend(step.changes(&known));
                        if from.id != phase.id {
                            said.push(format!(
                                "Étape « {} » déplacée dans « {} »",
                                step.label, phase.label
                            ));
                        } else if was != at && from.steps.len() == phase.steps.len() {
                            said.push(format!(
                                "Étape « {} » déplacée en position {}",
                                step.label,
                                at + 1
                            ));
                        }
                    }
                }
            }
        }
        for step in before.steps().filter(|step| find(self, step.id).is_none()) {
            said.push(format!("Étape « {} » retirée", step.label));
        }
        for phase in &before.phases {
            if !self.phases.iter().any(|known| known.id == phase.id) {
                said.push(format!("Phase « {} » retirée", phase.label));
            }
        }
        said
    }
}

impl Step {
    fn faults(&self, place: &str, say: &mut impl FnMut(String, String)) {
        let name = if self.label.is_empty() {
            "Une étape".into()
        } else {
            format!("« {} »", self.label)
        };
        if self.label.is_empty() {
            say("Une étape n’a pas de libellé".into(), format!("{place}-nom"));
        } else if self.label.chars().count() > 255 {
            say(format!("{name} : le libellé dépasse 255 caractères"), format!("{place}-nom"));
        }
        if self.description.chars().count() > 2_000 {
            say(
                format!("{name} : la description dépasse 2 000 caractères"),
                format!("{place}-description"),
            );
        }
        if !self.minutes.is_empty()
            && !self.minutes.parse::<u16>().is_ok_and(|n| (1..=1_440).contains(&n))
        {
            say(
                format!("{name} : la durée s’écrit en minutes, de 1 à 1 440"),
                format!("{place}-minutes"),
            );
        }
        if self.capture.chars().count() > 255 {
            say(
                format!("{name} : le nom du champ dépasse 255 caractères"),
                format!("{place}-champ"),
            );
        }
    }

    fn changes(&self, before: &Self) -> Vec<String> {
        let mut said = Vec::new();
        let name = &self.label;
        if before.label != *name {
            said.push(format!("Étape « {} » renommée « {name} »", before.label));
        }
        if before.required != self.required {
            let how = if self.required { "obligatoire" } else { "facultative" };
            said.push(format!("Étape « {name} » désormais {how}"));
        }
        for (what, differs) in [
            ("description", before.description != self.description),
            ("durée", before.minutes != self.minutes),
            ("champ saisi", before.capture != self.capture),
        ] {
            if differs {
                said.push(format!(
                    "Étape « {name} » : {what} modifié{}",
                    if what == "champ saisi" { "" } else { "e" }
                ));
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(label: &str) -> Step {
        Step { label: label.into(), ..Step::blank() }
    }

    fn phase(label: &str, steps: &[Step]) -> Phase {
        Phase { label: label.into(), steps: steps.to_vec(), ..Phase::blank() }
    }

    fn messages(definition: &Definition) -> Vec<String> {
        definition.faults().into_iter().map(|f| f.message.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn us_503_3_each_fault_is_named() {
        let empty = Definition::default();
        assert_eq!(messages(&empty), ["Ajoutez au moins une étape"]);
        assert_eq!(messages(&Definition::starting()), ["Une étape n’a pas de libellé"]);
        let one = Definition { phases: vec![phase("", &[step("Sauvegarder")])] };
        assert_eq!(messages(&one), [""; 0], "one phase needs no name");
        let mut two = one.clone();
        two.phases.push(phase("", &[]));
        assert_eq!(
            messages(&two),
            [
                "La phase 1 n’a pas de nom",
                "La phase 2 n’a pas de nom",
                "La phase 2 n’a pas d’étape"
            ]
        );
        let bad = Step { minutes: "0".into(), ..step("X") };
        let wrong = Definition { phases: vec![phase("A", &[bad]), phase("a", &[step("Y")])] };
        assert_eq!(
            messages(&wrong),
            ["« X » : la durée s’écrit en minutes, de 1 à 1 440", "Deux phases s’appellent « a »"]
        );
    }

    #[test]
    fn us_504_5_what_changed_is_said() {
        let (a, b, c) = (step("A"), step("B"), step("C"));
        let before = Definition { phases: vec![phase("Préparation", &[a.clone(), b.clone()])] };
        let mut after = before.clone();
        assert_eq!(after.differences(&before), [""; 0]);
        after.phases[0].steps = vec![b.clone(), Step { required: false, ..a }];
        after.phases.push(Phase { locked: true, ..phase("Clôture", &[c]) });
        let said: Vec<_> =
            after.differences(&before).iter().map(|s| s.replace('\u{a0}', " ")).collect();
        assert_eq!(
            said,
            [
                "Étape « B » déplacée en position 1",
                "Étape « A » désormais facultative",
                "Étape « A » déplacée en position 2",
                "Phase « Clôture » ajoutée",
                "Étape « C » ajoutée"
            ]
        );
        assert_eq!(before.differences(&after).len(), 5);
    }

    #[test]
    fn a_copy_is_another_checklist() {
        let one = Definition::starting();
        let other = one.clone().renewed();
        assert_ne!(one.phases[0].id, other.phases[0].id);
        assert_ne!(one.ids(true), other.ids(true));
    }
}
