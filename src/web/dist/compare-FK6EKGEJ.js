import{a,b}from"./chunk-54ZQ66FA.js";import"./chunk-NSQODLB3.js";import"./chunk-YUNXLRGX.js";import"./chunk-E7XDZ5DD.js";export{b as Add,a as Compare};
