-- A copy of a run and of the slots that work on it, by the keys of the tables. Answers which ids
-- of the copy stand for which of the run. Slots come from `kept_slot`: tests delete those of others.
CREATE TEMP TABLE kept_slot (LIKE celesta_slot);
CREATE FUNCTION pg_temp.copy_run(
  template uuid, copy uuid, slots bigint[], lease float8,
  OUT new_slots bigint[], OUT hints bigint[], OUT new_hints bigint[],
  OUT timers bigint[], OUT new_timers bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
  waves bigint[] := ARRAY(SELECT id FROM celesta_wave WHERE run_id = template ORDER BY id);
  new_waves bigint[] := ARRAY(
    SELECT nextval(pg_get_serial_sequence('celesta_wave', 'id')) FROM unnest(waves));
  its jsonb := jsonb_build_object('run_id', copy);
BEGIN
  hints := ARRAY(SELECT id FROM celesta_hint WHERE run_id = template ORDER BY id);
  timers := ARRAY(SELECT id FROM celesta_timer WHERE run_id = template ORDER BY id);
  new_slots := ARRAY(
    SELECT nextval(pg_get_serial_sequence('celesta_slot', 'id')) FROM unnest(slots));
  new_hints := ARRAY(
    SELECT nextval(pg_get_serial_sequence('celesta_hint', 'id')) FROM unnest(hints));
  new_timers := ARRAY(
    SELECT nextval(pg_get_serial_sequence('celesta_timer', 'id')) FROM unnest(timers));

  INSERT INTO celesta_run SELECT c.* FROM celesta_run t,
    jsonb_populate_record(t, jsonb_build_object('id', copy)) c WHERE t.id = template;
  INSERT INTO celesta_slot SELECT c.* FROM kept_slot t,
    jsonb_populate_record(t, jsonb_build_object(
      'id', new_slots[array_position(slots, t.id)],
      'run_id', CASE WHEN t.run_id IS NOT NULL THEN copy END,
      'wave', new_waves[array_position(waves, t.wave)],
      'lease_until', clock_timestamp() + make_interval(secs => lease))) c
    WHERE t.id = ANY (slots);
  INSERT INTO celesta_wave SELECT c.* FROM celesta_wave t,
    jsonb_populate_record(t, its || jsonb_build_object(
      'id', new_waves[array_position(waves, t.id)])) c WHERE t.run_id = template;
  INSERT INTO celesta_hint SELECT c.* FROM celesta_hint t,
    jsonb_populate_record(t, its || jsonb_build_object(
      'id', new_hints[array_position(hints, t.id)],
      'wave', new_waves[array_position(waves, t.wave)])) c WHERE t.run_id = template;
  INSERT INTO celesta_timer SELECT c.* FROM celesta_timer t,
    jsonb_populate_record(t, its || jsonb_build_object(
      'id', new_timers[array_position(timers, t.id)])) c WHERE t.run_id = template;
  INSERT INTO celesta_node_run SELECT c.* FROM celesta_node_run t,
    jsonb_populate_record(t, its || jsonb_build_object(
      'slot', new_slots[array_position(slots, t.slot)])) c WHERE t.run_id = template;
  INSERT INTO celesta_gate SELECT c.* FROM celesta_gate t,
    jsonb_populate_record(t, its) c WHERE t.run_id = template;
  INSERT INTO celesta_output SELECT c.* FROM celesta_output t,
    jsonb_populate_record(t, its) c WHERE t.run_id = template;
  INSERT INTO celesta_expansion SELECT c.* FROM celesta_expansion t,
    jsonb_populate_record(t, its) c WHERE t.run_id = template;
  INSERT INTO celesta_item SELECT c.* FROM celesta_item t,
    jsonb_populate_record(t, its) c WHERE t.run_id = template;
  -- Their order is told by their ids.
  INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
    SELECT copy, at, kind, scope, node, attempt, data FROM celesta_event
    WHERE run_id = template ORDER BY id;
END $$
