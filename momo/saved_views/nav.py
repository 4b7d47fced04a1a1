"""The entry of the sidebar for saved views."""

from __future__ import annotations

from momo.admin.kit.nav import SYSTEM, Entry, Link, register

register(
    Entry(
        SYSTEM,
        15,
        "已存篩選",
        "bookmark",
        "saved_views.savedview",
        empty="在任何一個清單篩選之後，按清單上方的「已存篩選」存下來，之後一點就回到同樣的條件。",
        step=Link("到商品清單存一個", "inventory_2", "admin:products_product_changelist", "products.view_product"),
        help=(
            "您在各個清單存下來的條件，管理員看全部。在清單上方按「已存篩選」存下目前的條件，回到這裡改名、"
            "分享或刪除。「CSV 網址」讓試算表不必登入就讀得到那個清單，不用時請撤銷。"
        ),
        how_to=(
            "在任何一個清單篩選之後，按「已存篩選」取名存下。",
            "在這一頁點它的名稱，按「CSV 網址」建立網址；網址只顯示一次。",
            'Excel：「資料」→「從 Web」，貼上網址。Google 試算表：在一格輸入 `=IMPORTDATA("網址")`。',
        ),
    ),
)
