"""The vendor's API as the vendor documents it; knows nothing of the product's own kinds."""
