-- Answer a message: claim the node it names, or open the lane it names, for the calling slot. A message
-- that finds another state claims nothing. `answer`: claimed, nothing, run_over, paused, or no_slot (the
-- slot's lease was lost, or it still holds what an earlier message brought: register again). Locks: run,
-- slot, wave, hints, node runs.
CREATE FUNCTION celesta_claim_v1(
  p_slot bigint, p_token bigint, p_run uuid, p_scope int, p_node int, p_hint bigint,
  p_via text, p_take int, p_lease float8,
  OUT answer text, OUT version bigint, OUT c_scopes int[], OUT c_nodes int[], OUT c_attempts int[],
  OUT c_losses int[], OUT c_inputs jsonb[], OUT c_wave bigint, OUT wave_left boolean
) LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_state text;
  v_sent timestamptz;
  v_queue text;
  v_priority int;
BEGIN
  c_scopes := '{}'; c_nodes := '{}'; c_attempts := '{}'; c_losses := '{}'; wave_left := false;
  answer := 'nothing';
  SELECT r.state, r.version_id INTO v_state, version
  FROM celesta_run r, celesta_slot s WHERE r.id = p_run AND s.id = p_slot AND s.lease_until > v_at
    AND s.token IS NULL
  FOR KEY SHARE OF r FOR UPDATE OF s;
  IF NOT FOUND THEN
    PERFORM 1 FROM celesta_run r WHERE r.id = p_run;
    IF FOUND THEN answer := 'no_slot'; END IF;
    RETURN;
  END IF;
  IF v_state NOT IN ('pending', 'running') THEN
    answer := CASE v_state WHEN 'paused' THEN 'paused' ELSE 'run_over' END;
    RETURN;
  END IF;
  IF p_hint IS NOT NULL THEN
    SELECT h.wave INTO c_wave FROM celesta_hint h WHERE h.id = p_hint AND h.run_id = p_run;
    IF c_wave IS NULL THEN RETURN; END IF;
    PERFORM 1 FROM celesta_wave w WHERE w.id = c_wave FOR UPDATE;
    -- When it was first sent: of a hint sent twice nobody knows which message came.
    DELETE FROM celesta_hint h WHERE h.id = p_hint
    RETURNING h.released_at, h.queue, h.priority INTO v_sent, v_queue, v_priority;
    IF NOT FOUND THEN c_wave := NULL; RETURN; END IF;  -- this lane was opened before
    SELECT t.c_scopes, t.c_nodes, t.c_attempts, t.c_losses, t.wave_left
    INTO c_scopes, c_nodes, c_attempts, c_losses, wave_left
    FROM celesta_next_v1(p_run, c_wave, p_take, v_at, p_slot, p_token, p_via) t;
    IF cardinality(c_nodes) = 0 AND NOT wave_left THEN
      c_wave := NULL;  -- its members were claimed by name or cancelled: the slot stays idle
      RETURN;
    END IF;
  ELSE
    UPDATE celesta_node_run n
    SET state = 'running', attempt = n.attempt + 1, token = p_token, slot = p_slot, via = p_via,
        started_at = v_at
    WHERE n.run_id = p_run AND n.scope = p_scope AND n.node = p_node AND n.state = 'ready'
    RETURNING ARRAY[n.scope], ARRAY[n.node], ARRAY[n.attempt::int], ARRAY[n.losses::int]
    INTO c_scopes, c_nodes, c_attempts, c_losses;
    IF NOT FOUND THEN
      c_scopes := '{}'; c_nodes := '{}'; c_attempts := '{}'; c_losses := '{}';
      RETURN;
    END IF;
    DELETE FROM celesta_hint h WHERE h.run_id = p_run AND h.scope = p_scope AND h.node = p_node
    RETURNING h.released_at, h.queue, h.priority INTO v_sent, v_queue, v_priority;
    INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt)
    VALUES (p_run, v_at, 'running', p_scope, p_node, c_attempts[1]);
  END IF;
  IF v_state = 'pending' THEN
    -- It may have been paused or cancelled since this call read its state: then it began before that.
    UPDATE celesta_run r
    SET state = CASE r.state WHEN 'pending' THEN 'running' ELSE r.state END, started_at = v_at
    WHERE r.id = p_run AND r.state IN ('pending', 'paused', 'cancelling') AND r.started_at IS NULL;
    IF FOUND THEN
      INSERT INTO celesta_event (run_id, at, kind) VALUES (p_run, v_at, 'run_running');
    END IF;
  END IF;
  UPDATE celesta_slot s
  SET token = p_token, seq = 0, run_id = p_run, scopes = c_scopes, nodes = c_nodes,
      wave = CASE WHEN wave_left THEN c_wave END, hint_sent_at = v_sent, hint_queue = v_queue,
      hint_priority = v_priority,
      lease_until = v_at + make_interval(secs => p_lease), idle_since = NULL
  WHERE s.id = p_slot;
  c_inputs := celesta_inputs_v1(p_run, version, c_scopes, c_nodes);
  answer := 'claimed';
END $$;
