import './css/diagram.css';
