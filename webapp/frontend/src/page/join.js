// Boxes that are ticked travel as one field ("title,due,state"), so that an address stays short and a view can hold it.
import { all, on } from './tools.js';

on('submit', 'form', (_, form) => {
  for (const joined of all('[data-joined]', form)) {
    joined.value = all(`[data-join="${joined.dataset.joined}"]:checked`).map((box) => box.value).join(',');
  }
}, true);
