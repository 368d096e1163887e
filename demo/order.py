#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The shop's front door: an order asks three other services, one by one."""
import json
import os

import requests
from flask import Flask, request

app = Flask(__name__)
inventory = os.environ["INVENTORY_URL"]
payment = os.environ["PAYMENT_URL"]
shipping = os.environ["SHIPPING_URL"]


@app.post("/api/order")
def order():
    wish = request.get_json()

    stock = requests.get(f"{inventory}/stock/{wish['item']}", timeout=10)
    if not stock.ok:
        return sorry(stock)

    charge = requests.post(f"{payment}/charge", timeout=10, json={
        "card": wish["card"], "cents": stock.json()["cents"]})
    if not charge.ok:
        return sorry(charge)

    parcel = requests.post(f"{shipping}/parcels", timeout=10, json={
        "item": wish["item"], "to": wish["to"]})
    if not parcel.ok:
        return sorry(parcel)

    return {"message": f"arrives in {parcel.json()['days']} days"}, 201


def sorry(answer):
    """A customer's mistake is told as it is, ours as "come back later"."""
    if answer.status_code < 500:
        return {"message": answer.json()["message"]}, answer.status_code
    return {"message": "please come back later"}, 503


@app.after_request
def access_log(response):
    print(json.dumps({
        "method": request.method, "path": request.path,
        "status": response.status_code, "headers": dict(request.headers),
    }), flush=True)
    return response


app.run(port=0)
