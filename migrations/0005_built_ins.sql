-- SPDX-License-Identifier: EUPL-1.2
-- The two built-in workflows of RG-017 and the first operation types (RG-060).

do $$
declare
  standard uuid := '0198a000-0000-7000-8000-000000000001';
  booked uuid := '0198a000-0000-7000-8000-000000000002';
  v1 uuid := '0198a000-0000-7000-8000-000000000011';
  v2 uuid := '0198a000-0000-7000-8000-000000000012';
begin
  insert into workflows (id, code, name, built_in) values (standard, 'standard', 'Standard', true), (booked, 'booked', 'Sur rendez-vous', true);
  insert into workflow_versions (id, workflow_id, number) values (v1, standard, 1), (v2, booked, 1);
  insert into workflow_statuses (version_id, code, name, category, position, is_initial)
  select v, code, name, category::status_category, position, code = 'todo'
  from (values (v1), (v2)) as version (v),
       (values ('todo', 'À planifier', 'todo', 1), ('planned', 'Planifié', 'planned', 2), ('in_progress', 'En cours', 'in_progress', 3),
               ('done', 'Réalisé', 'done', 4), ('postponed', 'Reporté', 'postponed', 5), ('blocked', 'Bloqué', 'blocked', 6),
               ('cancelled', 'Annulé', 'cancelled', 7)) as status (code, name, category, position)
  where v = v2 or code <> 'planned'
  order by v, position;
  insert into workflow_transitions (version_id, code, label, from_status, to_status, for_technician, for_manager, reason_mode, date_mode, position)
  select t.v, t.code, t.label, f.id, s.id, t.technician, true, t.reason, t.date, t.position
  from (values
    (v1, 'start', 'Démarrer', 'todo', 'in_progress', true, 'none', 'untouched', 1),
    (v1, 'cancel', 'Annuler', 'todo', 'cancelled', false, 'optional', 'untouched', 9),
    (v1, 'complete', 'Terminer', 'in_progress', 'done', true, 'none', 'untouched', 1),
    (v1, 'postpone', 'Reporter', 'in_progress', 'postponed', true, 'optional', 'optional', 2),
    (v1, 'report_problem', 'Signaler un problème', 'in_progress', 'blocked', true, 'optional', 'untouched', 3),
    (v1, 'unblock', 'Débloquer', 'blocked', 'in_progress', true, 'optional', 'untouched', 1),
    (v1, 'replan', 'Replanifier', 'postponed', 'todo', true, 'none', 'optional', 1),
    (v2, 'start', 'Démarrer', 'todo', 'in_progress', true, 'none', 'untouched', 1),
    (v2, 'start', 'Démarrer', 'planned', 'in_progress', true, 'none', 'untouched', 1),
    (v2, 'plan', 'Planifier', 'todo', 'planned', true, 'none', 'required', 2),
    (v2, 'cancel', 'Annuler', 'todo', 'cancelled', false, 'optional', 'untouched', 9),
    (v2, 'complete', 'Terminer', 'in_progress', 'done', true, 'none', 'untouched', 1),
    (v2, 'postpone', 'Reporter', 'todo', 'postponed', true, 'optional', 'optional', 3),
    (v2, 'postpone', 'Reporter', 'planned', 'postponed', true, 'optional', 'optional', 3),
    (v2, 'postpone', 'Reporter', 'in_progress', 'postponed', true, 'optional', 'optional', 2),
    (v2, 'postpone', 'Reporter', 'blocked', 'postponed', true, 'optional', 'optional', 3),
    (v2, 'report_problem', 'Signaler un problème', 'in_progress', 'blocked', true, 'optional', 'untouched', 3),
    (v2, 'unblock', 'Débloquer', 'blocked', 'in_progress', true, 'optional', 'untouched', 1),
    (v2, 'replan', 'Replanifier', 'postponed', 'planned', true, 'none', 'required', 1),
    (v2, 'replan', 'Replanifier', 'blocked', 'planned', true, 'none', 'required', 2),
    (v2, 'unplan', 'Remettre à planifier', 'planned', 'todo', false, 'none', 'cleared', 4),
    (v2, 'unplan', 'Remettre à planifier', 'postponed', 'todo', false, 'none', 'cleared', 4)
  ) as t (v, code, label, from_code, to_code, technician, reason, date, position)
  join workflow_statuses f on f.version_id = t.v and f.code = t.from_code
  join workflow_statuses s on s.version_id = t.v and s.code = t.to_code;

  insert into operation_types (id, name, name_norm, icon, color, minutes, workflow_id, position) values
    ('0198a000-0000-7000-8000-000000000021', 'Migration PC Windows 11', 'migration pc windows 11', 'monitor', 'primary', 60, booked, 1),
    ('0198a000-0000-7000-8000-000000000022', 'Installation logiciel', 'installation logiciel', 'download', 'success', 30, standard, 2),
    ('0198a000-0000-7000-8000-000000000023', 'Maintenance préventive', 'maintenance preventive', 'wrench', 'warning', 45, standard, 3);
  insert into type_fields (id, type_id, label, kind, required, searchable, in_list, usages, position)
  select gen_random_uuid(), t.id, f.label, f.kind::field_kind, f.required, true, true, f.usages, f.position
  from operation_types t, (values
    ('Matricule', 'short_text', true, array['identifier', 'agent_key'], 1),
    ('Nom utilisateur', 'short_text', true, array['label'], 2),
    ('Équipement', 'short_text', false, array['equipment'], 3),
    ('Localisation', 'short_text', false, array['location'], 4),
    ('Contact', 'phone', false, array['contact'], 5)) as f (label, kind, required, usages, position);
end $$;
