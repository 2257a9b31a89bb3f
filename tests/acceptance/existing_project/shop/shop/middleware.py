def shop_header(get_response):
    """Mark every answer of this site."""

    def answer(request):
        response = get_response(request)
        response["X-Shop"] = "open"
        return response

    return answer
