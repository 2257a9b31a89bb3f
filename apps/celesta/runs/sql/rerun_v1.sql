-- Write a run some of whose nodes do not run: p_nodes keep the state and output of p_from in the run
-- p_rerun_of, or (p_from null) have a given output. Everything else is as in a start, and what the kept
-- nodes lead to is decided by the gates, as if they had just ended. Their ends keep their times, since
-- compensations undo in that order.
CREATE FUNCTION celesta_rerun_v1(
  p_run uuid, p_workspace bigint, p_workflow bigint, p_version bigint, p_params jsonb,
  p_key text, p_digest text, p_trigger text, p_trigger_ref text, p_by text, p_deadline float8,
  p_rerun_of uuid, p_nodes int[], p_from int[], p_states text[], p_given jsonb,
  OUT run_id uuid, OUT digest text, OUT created boolean, OUT sent jsonb, OUT at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_nodes int[];
BEGIN
  sent := '[]'; created := false;
  INSERT INTO celesta_run (id, workspace_id, workflow_id, version_id, state, params, trigger, trigger_ref,
    idempotency_key, request_digest, rerun_of, next_scope, created_by, created_at)
  VALUES (p_run, p_workspace, p_workflow, p_version, 'pending', p_params, p_trigger, p_trigger_ref,
    p_key, p_digest, p_rerun_of, 1, p_by, v_at)
  ON CONFLICT DO NOTHING RETURNING id INTO run_id;
  IF NOT FOUND THEN
    SELECT r.id, r.request_digest INTO run_id, digest FROM celesta_run r
    WHERE r.id = p_run OR (r.workspace_id = p_workspace AND r.idempotency_key = p_key);
    RETURN;
  END IF;
  digest := p_digest; created := true; at := v_at;
  -- Whatever failed there is tried again here.
  UPDATE celesta_dead_letter d SET state = 'retried', retried_as = p_run, decided_at = v_at, decided_by = p_by
  WHERE d.run_id = p_rerun_of AND d.state = 'open';
  INSERT INTO celesta_node_run (run_id, scope, node, state, attempt, losses, via, ready_at, finished_at)
  SELECT p_run, 0, p.node, coalesce(k.state, CASE WHEN p.root THEN 'ready' ELSE 'pending' END), 0, 0,
         CASE WHEN k.old IS NOT NULL THEN 'kept' WHEN k.node IS NOT NULL THEN 'given' END,
         CASE WHEN p.root AND k.node IS NULL THEN v_at END,
         CASE WHEN k.node IS NOT NULL THEN coalesce(n.finished_at, v_at) END
  FROM celesta_plan_node p
  LEFT JOIN unnest(p_nodes, p_from, p_states) AS k(node, old, state) ON k.node = p.node
  LEFT JOIN celesta_node_run n ON n.run_id = p_rerun_of AND n.scope = 0 AND n.node = k.old
  WHERE p.version_id = p_version AND NOT p.detached ORDER BY p.node;
  INSERT INTO celesta_gate (run_id, scope, gate, succeeded, failed, skipped, fired)
  SELECT p_run, 0, q.gate, 0, 0, 0, false
  FROM celesta_plan_gate q WHERE q.version_id = p_version AND q.total > 1 ORDER BY q.gate;
  INSERT INTO celesta_output (run_id, scope, node, value)
  SELECT p_run, 0, k.node, o.value FROM unnest(p_nodes, p_from) AS k(node, old)
  JOIN celesta_output o ON o.run_id = p_rerun_of AND o.scope = 0 AND o.node = k.old
  UNION ALL
  SELECT p_run, 0, g.key::int, g.value FROM jsonb_each(p_given) g;
  INSERT INTO celesta_event (run_id, at, kind) VALUES (p_run, v_at, 'run_pending');
  IF cardinality(p_nodes) > 0 THEN
    INSERT INTO celesta_event (run_id, at, kind, scope, data)
    VALUES (p_run, v_at, 'kept', 0, jsonb_build_object(
      'nodes', to_jsonb(p_nodes), 'states', to_jsonb(p_states), 'of', p_rerun_of));
  END IF;
  IF p_deadline IS NOT NULL THEN
    INSERT INTO celesta_timer (run_id, kind, due_at)
    VALUES (p_run, 'deadline', v_at + make_interval(secs => p_deadline));
  END IF;
  SELECT array_agg(p.node ORDER BY p.node) INTO v_nodes
  FROM celesta_plan_node p WHERE p.version_id = p_version AND p.root AND NOT p.node = ANY (p_nodes);
  IF v_nodes IS NOT NULL THEN
    sent := celesta_travel_v1(p_run, p_version, v_at, array_fill(0, ARRAY[cardinality(v_nodes)]), v_nodes);
  END IF;
  IF cardinality(p_nodes) > 0 THEN
    SELECT celesta_rerun_v1.sent || t.sent INTO sent FROM celesta_settle_v1(p_run, p_version, v_at,
      array_fill(0, ARRAY[cardinality(p_nodes)]), p_nodes, p_states, NULL, NULL, '{}', 0) t;
  END IF;
END $$;
