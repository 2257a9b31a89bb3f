import { mount } from 'svelte';
import '@xyflow/svelte/dist/style.css';
import '../lib/theme.css';
import '../editor/editor.css';
import Shell from '../editor/Shell.svelte';
import type { PageData } from '../editor/page';

const target = document.getElementById('visual-editor');
const data = document.getElementById('visual-editor-data');
if (target && data)
  mount(Shell, { target, props: { page: JSON.parse(data.textContent) as PageData } });
