// The script of every page. Each module listens on the document, so what htmx swaps in works without being set up again.
import './page/htmx.js';
import './page/keep.js';
import './page/theme.js';
import './page/menus.js';
import './page/tabs.js';
import './page/fold.js';
import './page/list.js';
import './page/keys.js';
import './page/live.js';
import './page/forms.js';
import './page/once.js';
import './page/draft.js';
import './page/rows.js';
import './page/upload.js';
import './page/dialogs.js';
import './page/side.js';
import './page/small.js';
