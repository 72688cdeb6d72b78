import{a,b}from"./chunk-FAAURAQE.js";import"./chunk-3MGA4XIV.js";import"./chunk-MEQ5U6QA.js";import"./chunk-KXFM6V3O.js";export{b as Add,a as Compare};
