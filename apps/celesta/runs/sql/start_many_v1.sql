-- Write many runs of one version, as `start_v1` writes one, in the caller's transaction: a backfill's chunk, or
-- the due slots of a schedule. The arrays have one element per run. A run whose idempotency key was used
-- before is left out of the answer; the caller finds it by that key.
CREATE FUNCTION celesta_start_many_v1(
  p_workspace bigint, p_workflow bigint, p_version bigint, p_runs uuid[], p_params jsonb[], p_keys text[],
  p_digests text[], p_slots timestamptz[], p_slots_from timestamptz[], p_trigger text, p_trigger_ref text,
  p_by text, p_deadline float8
) RETURNS TABLE (run_id uuid, at timestamptz, sent jsonb) LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_made uuid[];
  v_nodes int[];
  v_scopes int[];
BEGIN
  WITH made AS (
    INSERT INTO celesta_run (id, workspace_id, workflow_id, version_id, state, params, trigger, trigger_ref,
      idempotency_key, request_digest, next_scope, created_by, created_at, slot, slot_from)
    SELECT k.id, p_workspace, p_workflow, p_version, 'pending', k.params, p_trigger, p_trigger_ref,
      k.key, k.digest, 1, p_by, v_at, k.slot, k.slot_from
    FROM unnest(p_runs, p_params, p_keys, p_digests, p_slots, p_slots_from)
      AS k(id, params, key, digest, slot, slot_from)
    ON CONFLICT DO NOTHING RETURNING id)
  SELECT coalesce(array_agg(id ORDER BY id), '{}') INTO v_made FROM made;
  INSERT INTO celesta_node_run (run_id, scope, node, state, attempt, losses, ready_at)
  SELECT m.id, 0, p.node, CASE WHEN p.root THEN 'ready' ELSE 'pending' END, 0, 0,
         CASE WHEN p.root THEN v_at END
  FROM unnest(v_made) AS m(id), celesta_plan_node p
  WHERE p.version_id = p_version AND NOT p.detached ORDER BY m.id, p.node;
  INSERT INTO celesta_gate (run_id, scope, gate, succeeded, failed, skipped, fired)
  SELECT m.id, 0, q.gate, 0, 0, 0, false
  FROM unnest(v_made) AS m(id), celesta_plan_gate q
  WHERE q.version_id = p_version AND q.total > 1 ORDER BY m.id, q.gate;
  INSERT INTO celesta_event (run_id, at, kind) SELECT m.id, v_at, 'run_pending' FROM unnest(v_made) AS m(id);
  IF p_deadline IS NOT NULL THEN
    INSERT INTO celesta_timer (run_id, kind, due_at)
    SELECT m.id, 'deadline', v_at + make_interval(secs => p_deadline) FROM unnest(v_made) AS m(id);
  END IF;
  SELECT array_agg(p.node ORDER BY p.node) INTO v_nodes
  FROM celesta_plan_node p WHERE p.version_id = p_version AND p.root;
  v_scopes := array_fill(0, ARRAY[cardinality(v_nodes)]);
  RETURN QUERY SELECT m.id, v_at, celesta_travel_v1(m.id, p_version, v_at, v_scopes, v_nodes)
               FROM unnest(v_made) AS m(id);
END $$;
