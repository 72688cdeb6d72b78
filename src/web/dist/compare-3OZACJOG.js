import{a,b}from"./chunk-B75NARGK.js";import"./chunk-XVQ5APFN.js";import"./chunk-HJBEPKBG.js";import"./chunk-5TDANVZR.js";export{b as Add,a as Compare};
