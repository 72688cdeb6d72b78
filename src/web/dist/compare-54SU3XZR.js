import{a,b}from"./chunk-PE56DB5A.js";import"./chunk-BSMFZVMD.js";import"./chunk-TSQ4RLZF.js";import"./chunk-FPFQLRUP.js";export{b as Add,a as Compare};
