import './page/start.js';
