-- Pause a run: what runs goes on to its end, nothing is claimed, timers are held, and the run's deadline
-- stands still. The run's state alone, as in a cancellation: claims and completions under way are as if they
-- had come before, and those that come later see the new state. Locks: run, its deadline.
CREATE FUNCTION celesta_pause_v1(p_run uuid, p_by text, p_reason text, OUT state_before text)
LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
BEGIN
  SELECT r.state INTO state_before FROM celesta_run r WHERE r.id = p_run FOR NO KEY UPDATE;
  IF state_before IS NULL OR state_before NOT IN ('pending', 'running') THEN RETURN; END IF;
  UPDATE celesta_run r SET state = 'paused', paused_at = v_at WHERE r.id = p_run;
  -- The other timers are held when they come due (see fire).
  UPDATE celesta_timer t SET held = true WHERE t.run_id = p_run AND t.kind = 'deadline';
  INSERT INTO celesta_event (run_id, at, kind, data)
  VALUES (p_run, v_at, 'run_paused', jsonb_build_object('by', p_by, 'reason', p_reason));
END $$;

-- Let a paused run go on: its deadline moves by the time it was paused, its timers are held no more, and
-- its hints are marked as sent now. Returns those for the caller to send after its commit. A hint that
-- somebody has locked is being claimed. Locks: run, timers, hints.
CREATE FUNCTION celesta_resume_v1(p_run uuid, p_by text, OUT state_before text, OUT hints jsonb)
LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_paused_for interval;
BEGIN
  hints := '[]';
  SELECT r.state, v_at - r.paused_at INTO state_before, v_paused_for
  FROM celesta_run r WHERE r.id = p_run FOR NO KEY UPDATE;
  IF state_before IS DISTINCT FROM 'paused' THEN RETURN; END IF;
  UPDATE celesta_run r
  SET state = CASE WHEN r.started_at IS NULL THEN 'pending' ELSE 'running' END, paused_at = NULL
  WHERE r.id = p_run;
  UPDATE celesta_timer t
  SET held = false, due_at = CASE t.kind WHEN 'deadline' THEN t.due_at + v_paused_for ELSE t.due_at END
  WHERE t.run_id = p_run AND t.held;
  WITH waiting AS (
    SELECT h.id FROM celesta_hint h WHERE h.run_id = p_run ORDER BY h.id FOR UPDATE SKIP LOCKED
  ), again AS (
    UPDATE celesta_hint h SET sent_at = v_at, sends = 1 FROM waiting w WHERE h.id = w.id
    RETURNING h.id, h.scope, h.node, h.wave, h.queue, h.priority
  )
  SELECT coalesce(jsonb_agg(to_jsonb(again) ORDER BY again.priority DESC, again.id), '[]')
  INTO hints FROM again;
  INSERT INTO celesta_event (run_id, at, kind, data) VALUES (p_run, v_at, 'run_resumed',
    jsonb_build_object('by', p_by, 'paused_for', round(extract(epoch FROM v_paused_for)::numeric, 3)));
END $$;
