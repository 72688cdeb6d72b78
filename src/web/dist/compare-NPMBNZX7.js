import{a,b}from"./chunk-MBJUNPR2.js";import"./chunk-FHYXDONK.js";import"./chunk-TVQS2BA5.js";import"./chunk-LKWW2HW4.js";export{b as Add,a as Compare};
