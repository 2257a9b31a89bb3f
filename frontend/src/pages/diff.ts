import { mount } from 'svelte';
import '@xyflow/svelte/dist/style.css';
import '../lib/theme.css';
import Comparison from '../diff/Comparison.svelte';

const target = document.getElementById('visual-diff');
const data = document.getElementById('visual-diff-data');
if (target && data) mount(Comparison, { target, props: JSON.parse(data.textContent) });
