import{a,b}from"./chunk-V7N5MMTG.js";import"./chunk-NWCULQS4.js";import"./chunk-AN3GMZR5.js";import"./chunk-2SYVJ4QV.js";export{b as Add,a as Compare};
