-- Report ended nodes, follow their consequences, and claim what the caller goes on with: one commit.
-- A row is accepted only if it is running under this attempt and this token; else the late result is
-- recorded and refused. p_began and p_ended are seconds before this call (a worker's clock may be wrong by
-- a day: the database's time decides). p_rest are rows the caller still holds, p_back rows it claimed, did
-- not begin and hands back. With p_leave its lane travels again instead of going on.
CREATE FUNCTION celesta_complete_v1(
  p_slot bigint, p_token bigint, p_seq int, p_run uuid,
  p_scopes int[], p_nodes int[], p_attempts int[], p_states text[],
  p_began float8[], p_ended float8[], p_outputs text[], p_errors text[],
  p_kinds text[], p_delays float8[],
  p_rest_scopes int[], p_rest_nodes int[], p_back_scopes int[], p_back_nodes int[],
  p_queues text[], p_keep int, p_wave bigint, p_leave boolean, p_lease float8,
  OUT answer text, OUT refused_nodes int[], OUT refused_scopes int[],
  OUT c_scopes int[], OUT c_nodes int[], OUT c_attempts int[], OUT c_losses int[],
  OUT c_inputs jsonb[], OUT wave_left boolean, OUT sent jsonb, OUT ended boolean
) LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_state text;
  v_version bigint;
  v_hit_scopes int[] := '{}';
  v_hit_nodes int[] := '{}';
  v_scopes int[] := '{}';
  v_nodes int[] := '{}';
  v_states text[] := '{}';
  v_more record;
  v_all boolean;
  v_path boolean;
  v_next int;
  v_auto boolean;
  v_reads boolean;
BEGIN
  answer := 'going'; wave_left := false; sent := '[]'; ended := false;
  c_scopes := '{}'; c_nodes := '{}'; c_attempts := '{}'; c_losses := '{}';
  -- Along a path, also the one node that this success alone releases and that goes on here, or ends the run.
  v_path := cardinality(p_nodes) = 1 AND p_states[1] = 'succeeded' AND p_scopes[1] = 0 AND p_keep > 0
    AND NOT p_leave;
  SELECT r.state, r.version_id, f.node, f.auto, f.reads INTO v_state, v_version, v_next, v_auto, v_reads
  FROM celesta_run r CROSS JOIN celesta_slot s LEFT JOIN LATERAL (
    -- One row each, whatever the planner thinks of an empty table: else it reads the whole plan.
    SELECT t.* FROM (
      SELECT q.follower FROM celesta_plan_node q
      WHERE v_path AND r.state <> 'paused' AND q.version_id = r.version_id AND q.node = p_nodes[1]
      LIMIT 1) p
    CROSS JOIN LATERAL (
      SELECT q.node, q.auto, q.refs <> '{}' OR q.uses_params AS reads FROM celesta_plan_node q
      WHERE q.version_id = r.version_id AND q.node = p.follower AND (q.auto OR q.queue = ANY (p_queues))
      LIMIT 1) t) f ON true
  WHERE r.id = p_run AND s.id = p_slot AND s.token = p_token
  FOR KEY SHARE OF r FOR UPDATE OF s;
  IF NOT FOUND THEN
    answer := 'no_slot';  -- the lease was lost and the rows were taken back
  ELSIF v_state NOT IN ('pending', 'running', 'paused') THEN
    answer := 'run_over';
  END IF;
  IF answer <> 'going' THEN
    PERFORM celesta_refuse_v1(p_run, v_at, p_scopes, p_nodes, p_attempts, p_states);
    refused_scopes := p_scopes; refused_nodes := p_nodes;
    IF answer = 'run_over' THEN
      PERFORM celesta_idle_v1(p_slot, p_token, p_seq, v_at, p_lease);
    END IF;
    RETURN;
  END IF;

  IF cardinality(p_nodes) = 1 THEN
    -- One node at a time is how paths and long nodes report: plain statements cost half as much.
    UPDATE celesta_node_run n
    SET state = p_states[1], token = NULL,
        started_at = v_at - make_interval(secs => p_began[1]),
        finished_at = CASE WHEN p_states[1] <> 'waiting' THEN v_at - make_interval(secs => p_ended[1]) END
    WHERE n.run_id = p_run AND n.scope = p_scopes[1] AND n.node = p_nodes[1] AND n.state = 'running'
      AND n.attempt = p_attempts[1] AND n.token = p_token;
    IF NOT FOUND THEN
      v_next := NULL; v_reads := NULL;
    ELSE
      v_hit_scopes := p_scopes; v_hit_nodes := p_nodes;
      IF v_next IS NOT NULL THEN
        UPDATE celesta_node_run n
        SET state = CASE WHEN v_auto THEN 'succeeded' ELSE 'running' END, ready_at = v_at,
            attempt = CASE WHEN v_auto THEN 0 ELSE 1 END,
            token = CASE WHEN NOT v_auto THEN p_token END, slot = CASE WHEN NOT v_auto THEN p_slot END,
            via = CASE WHEN NOT v_auto THEN 'continued' END, started_at = CASE WHEN NOT v_auto THEN v_at END,
            finished_at = CASE WHEN v_auto THEN v_at END
        WHERE n.run_id = p_run AND n.scope = 0 AND n.node = v_next AND n.state = 'pending';
        IF NOT FOUND THEN v_next := NULL; v_reads := NULL; END IF;
      END IF;
      IF v_next IS NULL THEN
        INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
        VALUES (p_run, v_at - make_interval(secs => p_ended[1]), p_states[1], p_scopes[1], p_nodes[1],
          p_attempts[1], p_errors[1]::jsonb);
      ELSE
        INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt)
        VALUES (p_run, v_at - make_interval(secs => p_ended[1]), p_states[1], 0, p_nodes[1], p_attempts[1]),
          (p_run, v_at, CASE WHEN v_auto THEN 'succeeded' ELSE 'running' END, 0, v_next,
           CASE WHEN v_auto THEN 0 ELSE 1 END);
      END IF;
      IF p_states[1] <> 'waiting' THEN
        v_scopes := p_scopes; v_nodes := p_nodes; v_states := p_states;
        IF p_outputs[1] IS NOT NULL OR p_states[1] = 'failed' THEN
          INSERT INTO celesta_output (run_id, scope, node, value, error)
          VALUES (p_run, p_scopes[1], p_nodes[1], p_outputs[1]::jsonb,
            CASE WHEN p_states[1] = 'failed' THEN p_errors[1]::jsonb END);
        END IF;
      ELSIF p_delays[1] IS NOT NULL THEN
        INSERT INTO celesta_timer (run_id, scope, node, attempt, kind, due_at, output)
        VALUES (p_run, p_scopes[1], p_nodes[1], p_attempts[1], p_kinds[1],
          v_at + make_interval(secs => p_delays[1]), p_outputs[1]::jsonb);
      END IF;
    END IF;
  ELSIF cardinality(p_nodes) > 1 THEN
    WITH given AS (
      SELECT * FROM unnest(p_scopes, p_nodes, p_attempts, p_states, p_began, p_ended, p_errors,
        array_fill(p_run, ARRAY[cardinality(p_nodes)]))
        AS d(scope, node, attempt, state, began_ago, ended_ago, error, run)
    ), hit AS (
      UPDATE celesta_node_run n
      SET state = d.state, token = NULL,
          started_at = v_at - make_interval(secs => d.began_ago),
          finished_at = CASE WHEN d.state <> 'waiting' THEN v_at - make_interval(secs => d.ended_ago) END
      FROM given d
      WHERE n.run_id = d.run AND n.scope = d.scope AND n.node = d.node AND n.state = 'running'
        AND n.attempt = d.attempt AND n.token = p_token
      RETURNING n.scope, n.node, n.attempt, d.state, d.ended_ago, d.error
    ), told AS (
      INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
      SELECT p_run, v_at - make_interval(secs => ended_ago), state, scope, node, attempt, error::jsonb FROM hit
    )
    SELECT coalesce(array_agg(scope), '{}'), coalesce(array_agg(node), '{}'),
           coalesce(array_agg(scope) FILTER (WHERE state <> 'waiting'), '{}'),
           coalesce(array_agg(node) FILTER (WHERE state <> 'waiting'), '{}'),
           coalesce(array_agg(state) FILTER (WHERE state <> 'waiting'), '{}')
    INTO v_hit_scopes, v_hit_nodes, v_scopes, v_nodes, v_states FROM hit;
    -- Apart, since most batches have none of these, and to open a table costs as much as to write a row.
    v_all := cardinality(v_hit_nodes) = cardinality(p_nodes);
    IF 'failed' = ANY (v_states) OR cardinality(array_remove(p_outputs, NULL)) > 0 THEN
      INSERT INTO celesta_output (run_id, scope, node, value, error)
      SELECT p_run, d.scope, d.node, d.output::jsonb, CASE WHEN d.state = 'failed' THEN d.error::jsonb END
      FROM unnest(p_scopes, p_nodes, p_states, p_outputs, p_errors) AS d(scope, node, state, output, error)
      WHERE d.state <> 'waiting' AND (d.output IS NOT NULL OR d.state = 'failed')
        AND (v_all OR (d.scope, d.node) IN (SELECT * FROM unnest(v_hit_scopes, v_hit_nodes)));
    END IF;
    IF cardinality(v_nodes) < cardinality(v_hit_nodes) THEN
      INSERT INTO celesta_timer (run_id, scope, node, attempt, kind, due_at, output)
      SELECT p_run, d.scope, d.node, d.attempt, d.kind, v_at + make_interval(secs => d.delay), d.output::jsonb
      FROM unnest(p_scopes, p_nodes, p_attempts, p_states, p_outputs, p_kinds, p_delays)
        AS d(scope, node, attempt, state, output, kind, delay)
      WHERE d.state = 'waiting' AND d.delay IS NOT NULL
        AND (v_all OR (d.scope, d.node) IN (SELECT * FROM unnest(v_hit_scopes, v_hit_nodes)));
    END IF;
  END IF;
  IF cardinality(p_nodes) > 0 THEN
    IF cardinality(v_hit_nodes) < cardinality(p_nodes) THEN
      SELECT array_agg(d.scope), array_agg(d.node) INTO refused_scopes, refused_nodes
      FROM unnest(p_scopes, p_nodes) AS d(scope, node)
      WHERE NOT EXISTS (SELECT 1 FROM unnest(v_hit_scopes, v_hit_nodes) AS h(scope, node)
                        WHERE h.scope = d.scope AND h.node = d.node);
      PERFORM celesta_refuse_v1(p_run, v_at,
        array_agg(d.scope), array_agg(d.node), array_agg(d.attempt), array_agg(d.state))
      FROM unnest(p_scopes, p_nodes, p_attempts, p_states) AS d(scope, node, attempt, state)
      JOIN unnest(refused_scopes, refused_nodes) AS x(scope, node) USING (scope, node);
    END IF;
    IF v_next IS NOT NULL AND NOT v_auto THEN
      c_scopes := ARRAY[0]; c_nodes := ARRAY[v_next]; c_attempts := ARRAY[1]; c_losses := ARRAY[0];
    ELSIF cardinality(v_nodes) > 0 THEN
      IF v_next IS NOT NULL THEN  -- ended by itself: its own consequences follow
        v_scopes := ARRAY[0]; v_nodes := ARRAY[v_next]; v_states := ARRAY['succeeded'];
      END IF;
      SELECT t.kept_scopes, t.kept_nodes, t.sent, t.ended INTO c_scopes, c_nodes, sent, ended
      FROM celesta_settle_v1(p_run, v_version, v_at, v_scopes, v_nodes, v_states, p_slot, p_token,
        p_queues, CASE WHEN v_state = 'paused' OR p_leave THEN 0 ELSE p_keep END) t;
      c_attempts := array_fill(1, ARRAY[cardinality(c_nodes)]);
      c_losses := array_fill(0, ARRAY[cardinality(c_nodes)]);
    END IF;
  END IF;

  IF cardinality(p_back_nodes) > 0 THEN
    sent := sent || celesta_hand_back_v1(p_run, v_version, v_at, p_token, p_back_scopes, p_back_nodes);
  END IF;
  IF p_wave IS NOT NULL AND NOT ended THEN
    IF p_leave OR v_state = 'paused' AND cardinality(p_rest_nodes) = 0 THEN
      sent := sent || celesta_reopen_lane_v1(p_run, p_wave, v_at);
    ELSIF v_state = 'paused' THEN
      -- What the slot still holds keeps its lane: another one besides would exceed the limit of a map.
      wave_left := true;
    ELSIF p_keep > cardinality(c_nodes) THEN
      SELECT * INTO v_more FROM celesta_next_v1(
        p_run, p_wave, p_keep - cardinality(c_nodes), v_at, p_slot, p_token, 'lane');
      c_scopes := c_scopes || v_more.c_scopes; c_nodes := c_nodes || v_more.c_nodes;
      c_attempts := c_attempts || v_more.c_attempts; c_losses := c_losses || v_more.c_losses;
      wave_left := v_more.wave_left;
    ELSE
      wave_left := true;
    END IF;
  END IF;

  UPDATE celesta_slot s
  SET seq = p_seq, scopes = p_rest_scopes || c_scopes, nodes = p_rest_nodes || c_nodes,
      token = CASE WHEN over THEN NULL ELSE p_token END,
      run_id = CASE WHEN over THEN NULL ELSE p_run END,
      wave = CASE WHEN wave_left THEN p_wave END,
      idle_since = CASE WHEN over THEN v_at END,
      lease_until = v_at + make_interval(secs => p_lease)
  FROM (SELECT cardinality(p_rest_nodes) + cardinality(c_nodes) = 0 AND NOT wave_left AS over) o
  WHERE s.id = p_slot;
  IF cardinality(c_nodes) > 0 AND (v_reads IS NOT FALSE OR cardinality(c_nodes) > 1) THEN
    c_inputs := celesta_inputs_v1(p_run, v_version, c_scopes, c_nodes);
  END IF;
END $$;
