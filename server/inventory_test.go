package server_test

const recordedInventory = ``
